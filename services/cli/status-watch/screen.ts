import { type Line, render } from './line.ts'

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l' // a screen of its own, no cursor, long lines do not wrap
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l'
const BEGIN = '\u001b[?2026h\u001b[H' // terminals that know it show the picture at once
const END = '\u001b[J\u001b[?2026l'
const REST_OF_LINE = '\u001b[K'

type Out = Pick<NodeJS.WriteStream, 'write' | 'columns' | 'rows' | 'on' | 'off' | 'isTTY'>

const COLUMNS_ELSEWHERE = 120

/** Draws one picture over the other. Where the output is no terminal, one stands below the other, without colours. */
export class Screen implements Disposable {
  readonly #out: Out
  readonly #colours: boolean
  #draw: ((columns: number) => readonly Line[]) | null = null

  constructor(out: Out, { NO_COLOR = '' }: Readonly<Record<string, string | undefined>> = process.env) {
    this.#out = out
    this.#colours = out.isTTY === true && NO_COLOR === ''
    if (!out.isTTY) return
    out.write(ENTER)
    out.on('resize', this.#redraw)
  }

  /** @param draw makes the lines for so many columns; called again when the terminal gets another size */
  show(draw: (columns: number) => readonly Line[]): void {
    this.#draw = draw
    this.#redraw()
  }

  readonly #redraw = (): void => {
    if (this.#draw === null) return
    const { isTTY, columns = COLUMNS_ELSEWHERE, rows = Number.POSITIVE_INFINITY } = this.#out
    const lines = this.#draw(columns).map((line) => render(line, { columns, colours: this.#colours }))
    if (!isTTY) {
      this.#out.write(`${lines.join('\n')}\n\n`)
      return
    }
    const room = Math.max(1, rows - 1)
    const left = lines.length - room
    const shown = left > 0 ? [...lines.slice(0, room - 1), `… ${left + 1} more lines`] : lines
    const foot = render(['q ends'], { columns, colours: false })
    const all = [...shown, ...Array<string>(Math.max(0, room - shown.length)).fill(''), foot]
    this.#out.write(BEGIN + all.map((line) => line + REST_OF_LINE).join('\r\n') + END)
  };

  [Symbol.dispose](): void {
    if (!this.#out.isTTY) return
    this.#out.off('resize', this.#redraw)
    this.#out.write(LEAVE)
  }
}
