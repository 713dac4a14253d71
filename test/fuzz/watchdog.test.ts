/** What the watchdog hears of the ways to people, and what its page hears of whoever connects. */
import { Buffer } from 'node:buffer'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { PageServer } from '@freshet/watchdog/page/serve/page-server.ts'
import { lagNotice } from '@freshet/watchdog/routes/notice.kit.ts'
import { after, WELL } from '@freshet/watchdog/routes/ways/health.ts'
import { SlackWay } from '@freshet/watchdog/routes/ways/slack-way.ts'
import type { Way } from '@freshet/watchdog/routes/ways/way.ts'
import { WebhookWay } from '@freshet/watchdog/routes/ways/webhook-way.ts'
import { afterAll, expect } from 'vitest'
import { fuzz } from './fuzz.kit.ts'
import { httpAnswer, RawServer } from './raw-server.kit.ts'

const NOW_MS = 1_700_000_000_000
const SECRET = '/services/T0/B0/s3cret'

const server = await RawServer.listen()
const url = server.url + SECRET
const clock = handClock(NOW_MS)
const common = { url, headers: {}, clock, log: quietLog }
const WAYS: Readonly<Record<string, Way>> = {
  slack: new SlackWay({ webhookUrl: url, clock, log: quietLog }),
  webhook: new WebhookWay({ ...common, format: 'json' }),
  teams: new WebhookWay({ ...common, format: 'teams' }),
}

/** Nothing here waits for it: the server hangs up. */
const never = new AbortController().signal

async function tell(way: Way, answer: Buffer): Promise<void> {
  server.answer = answer
  const outcome = await way.post(lagNotice(), never)
  expect(['taken', 'later', 'refused', 'closed']).toContain(outcome.kind)
  const { restUntilMs, why } = after(WELL, outcome, { nowMs: NOW_MS, random: () => 1 })
  expect(restUntilMs).toBeLessThanOrEqual(NOW_MS + 3_600_000)
  expect(why).not.toContain(SECRET)
  expect(why.length).toBeLessThan(300)
}

const failed = `Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId a`

for (const [name, way] of Object.entries(WAYS))
  fuzz({
    name: `way-${name}`,
    format: 'bytes',
    codes: [],
    valid: [
      httpAnswer('ok'),
      httpAnswer(failed, 200, ['retry-after: 1e300']),
      httpAnswer(gzipSync('ok'), 200, ['content-encoding: gzip']),
      httpAnswer(`no such webhook: ${SECRET}`, 404, ['location: /x']),
    ],
    share: 0.1,
    read: (bytes) => tell(way, bytes),
  })

const pages = await Promise.all(
  [[], [{ name: 'k', sha256: '0'.repeat(64) }]].map((pageKeys) =>
    PageServer.listen({
      settings: { pageHost: '127.0.0.1', pagePort: 0, pageKeys },
      shown: () => ({ text: '{"looks":1}', ageSeconds: 0, isFresh: true }),
      clock,
    }),
  ),
)
afterAll(async () => {
  server.close()
  for (const page of pages) await page[Symbol.asyncDispose]()
})

/** What a page says to these bytes, up to the end of the head; a stream of events would go on. */
function saidTo(page: PageServer, bytes: Buffer): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(Number(new URL(page.url).port), '127.0.0.1').setEncoding('latin1')
  let said = ''
  socket.on('data', (text: unknown) => {
    said += String(text)
    if (said.includes('\r\n\r\n')) socket.destroy()
  })
  socket.on('error', () => {}) // it may close while we still speak
  socket.on('close', () => resolve(said))
  socket.end(bytes)
  return promise
}

fuzz({
  name: 'page-request',
  format: 'bytes',
  codes: [],
  valid: [
    'GET / HTTP/1.1\r\nhost: localhost:1\r\nif-none-match: "x"\r\nx-api-key: k\r\n\r\n',
    'HEAD http://[::1]:8/api/status?x=%ff HTTP/1.1\r\nhost: a\r\nauthorization: Basic azpr\r\n\r\n',
    'GET /events HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer k\r\n\r\n',
    'POST /healthz HTTP/1.1\r\nhost: b\r\ncontent-length: 3\r\ntransfer-encoding: identity\r\n\r\nabc',
  ].map((text) => Buffer.from(text)),
  share: 0.3,
  async read(bytes) {
    for (const page of pages) {
      const said = await saidTo(page, bytes)
      if (said !== '') expect(said).toMatch(/^HTTP\/1\.1 ([1-4]\d\d|503) /)
    }
  },
})
