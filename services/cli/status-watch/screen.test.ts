import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { quitKeys } from './keys.ts'
import { Screen } from './screen.ts'

function terminal({ isTTY = true, columns = 20, rows = 4 } = {}) {
  const events = new EventEmitter()
  const written: string[] = []
  const out = {
    ...{ isTTY, columns, rows, written },
    write: (text: string | Uint8Array) => written.push(String(text)) > 0,
    on: events.on.bind(events),
    off: events.off.bind(events),
    resize: () => events.emit('resize'),
  }
  return out
}

type Out = ConstructorParameters<typeof Screen>[0]

test('a picture takes the place of the one before, and the terminal is left as it was', () => {
  const out = terminal()
  {
    using screen = new Screen(out as unknown as Out, {})
    screen.show(() => [[{ style: 'bold', text: 'one' }]])
    expect(out.written.at(-1)).toContain('\u001b[H\u001b[1mone\u001b[0m\u001b[K\r\n')
  }
  expect(out.written[0]).toContain('\u001b[?1049h')
  expect(out.written.at(-1)).toBe('\u001b[?7h\u001b[?25h\u001b[?1049l')
  const before = out.written.length
  out.resize()
  expect(out.written.length).toBe(before)
})

test('what is longer than the terminal is cut, and says by how much; another size draws anew', () => {
  const out = terminal({ rows: 4 })
  using screen = new Screen(out as unknown as Out, { NO_COLOR: '1' })
  screen.show(() => ['a', 'b', 'c', 'd', 'e'].map((text) => [text]))
  expect(out.written.at(-1)).toContain('… 3 more lines')
  expect(out.written.at(-1)).not.toContain('c')
  out.rows = 10
  out.resize()
  expect(out.written.at(-1)).toContain('e')
})

test('elsewhere than on a terminal there are plain lines, one picture below the other', () => {
  const out = terminal({ isTTY: false })
  using screen = new Screen(out as unknown as Out, {})
  screen.show(() => [[{ style: 'good', text: 'one' }], ['two']])
  expect(out.written).toEqual(['one\ntwo\n\n'])
})

test.each([
  ['q', true],
  ['\u0003', true],
  ['x', false],
  ['\u001b[A', false], // an arrow begins as Esc does
])('the key %j ends it: %s', (key, ends) => {
  const input = Object.assign(new EventEmitter(), {
    isTTY: true,
    raw: false,
    setRawMode: (raw: boolean) => (input.raw = raw),
    resume() {},
    pause() {},
  })
  let ended = false
  {
    using _keys = quitKeys(input as unknown as Parameters<typeof quitKeys>[0], () => (ended = true))
    expect(input.raw).toBe(true)
    input.emit('data', Buffer.from(key))
  }
  expect([ended, input.raw, input.listenerCount('data')]).toEqual([ends, false, 0])
})
