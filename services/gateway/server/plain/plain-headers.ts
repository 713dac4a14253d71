import { inOnePiece } from '../in-one-piece.ts'

/** Of the whole block, so that a line is never taken for another: no folded lines, no bare line feeds, ASCII alone. */
const LINES = /^(?:\r\n[!#$%&'*+\-.^`|~\w]+:[\t -~]*)+$/
/** With a port that no URL parser leaves out or refuses. */
const HOST = /^[a-z0-9._-]+(:([1-5]\d{3,4}|[6-9]\d{3}))?$/
/** Fewer lines than node:http takes. */
const MAX_LINES = 100
/** What says how the connection or the body goes on. */
const LEFT_TO_NODE = ['transfer-encoding', 'expect', 'upgrade', 'proxy-connection'] as const

/** The headers of a plain request, by their names in lower case. */
export class PlainHeaders {
  /** As they came, each with a line break before it. */
  readonly lines: string
  readonly #values: ReadonlyMap<string, string>

  /** @returns undefined when they need to be interpreted */
  static read(lines: string): PlainHeaders | undefined {
    if (!LINES.test(lines) || lines.split('\r\n').length > MAX_LINES) return undefined
    const headers = new PlainHeaders(inOnePiece(lines))
    const connection = headers.get('connection')?.toLowerCase() ?? 'keep-alive'
    const isPlain = connection === 'keep-alive' && HOST.test(headers.get('host') ?? '')
    return isPlain && LEFT_TO_NODE.every((name) => headers.get(name) === null) ? headers : undefined
  }

  private constructor(lines: string) {
    this.lines = lines
    const values = new Map<string, string>()
    for (const line of lines.slice('\r\n'.length).split('\r\n')) {
      const colon = line.indexOf(':')
      const name = line.slice(0, colon).toLowerCase()
      const value = line.slice(colon + 1).trim()
      const before = values.get(name)
      values.set(name, before === undefined ? value : `${before}, ${value}`)
    }
    this.#values = values
  }

  /** As Headers reads it: what comes several times is one list. */
  get(name: string): string | null {
    return this.#values.get(name) ?? null
  }
}
