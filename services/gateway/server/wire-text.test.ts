import { Buffer } from 'node:buffer'
import { expect, onTestFinished, test, vi } from 'vitest'
import { jsonReply, type Reply } from '../reply.ts'
import { CLOSE_LINES, wireText } from './wire-text.ts'

const KEEP = 'connection: keep-alive\r\n'
const bodyOf = (text: string) => text.slice(text.indexOf('\r\n\r\n') + 4)

test('a reply is its status, its headers, its length, the date, what it says of the connection, and its body', () => {
  vi.useFakeTimers({ now: 1_700_000_000_999 })
  onTestFinished(() => void vi.useRealTimers())
  const reply: Reply = { status: 404, headers: { a: 'b' }, ownLines: 'age: 5\r\n', text: '{}' }
  expect(wireText(reply, KEEP).text).toBe(
    'HTTP/1.1 404 Not Found\r\na: b\r\nage: 5\r\ncontent-length: 2\r\ndate: Tue, 14 Nov 2023 22:13:20 GMT\r\nconnection: keep-alive\r\n\r\n{}',
  )
  vi.setSystemTime(1_700_000_001_000)
  expect(wireText(reply, KEEP).text).toContain('22:13:21')
  vi.setSystemTime(1_700_000_000_000)
  expect(wireText(reply, KEEP).text).toContain('22:13:20')
})

test('what replies share does not make one say what another does', () => {
  const headers = { a: 'b' }
  const text = (status: number, connection: string) =>
    wireText({ status, headers, text: '' }, connection).text
  for (let time = 0; time < 2; time++) {
    expect(text(200, KEEP)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*keep-alive/)
    expect(text(404, CLOSE_LINES)).toMatch(/^HTTP\/1\.1 404 Not Found\r\n[\s\S]*close/)
  }
})

test.each(['', '{"key":"a"}', '{"key":"é"}', '{"key":"日本"}', '{"key":"\u{1f600}"}'])(
  'the length counts the bytes that are sent of %s',
  (body) => {
    const { text, encoding } = wireText({ ...jsonReply(null), text: body }, KEEP)
    const sent = Buffer.from(bodyOf(text), encoding)
    expect(sent.toString('utf8')).toBe(body)
    expect(text).toContain(`content-length: ${sent.length}\r\n`)
  },
)

test('without a body its length is 0', () => {
  expect(wireText({ status: 204, headers: {}, text: null }, KEEP).text).toContain('content-length: 0\r\n')
})

test.each(['a\r\nb: c', 'é', '\u010d\u010a'])(
  'a header that could end its line is never sent: %j',
  (value) => {
    expect(() => wireText({ status: 200, headers: { a: value }, text: '' }, KEEP)).toThrow('printable ASCII')
  },
)
