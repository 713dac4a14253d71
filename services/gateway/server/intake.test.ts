import type { IncomingMessage, RequestListener } from 'node:http'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { expect, test } from 'vitest'
import { prometheusText } from '../metrics/prometheus-text.ts'
import { RequestRecord } from '../request-record.ts'
import { acceptedAtMs, Intake } from './intake.ts'

type Told = Parameters<RequestListener>[1]

/** A door before an app that says since when each request waits. */
function door(world: { inHand?: number; waitedMs?: number; isHeavy?: (bytes: number) => boolean }) {
  const { inHand = 0, waitedMs = 0, isHeavy = () => false } = world
  const metrics = new Metrics()
  const record = new RequestRecord(quietTelemetry({ metrics }), {
    share: 0,
    spansPerSecond: 0,
    linesPerSecond: 0,
    random: Math.random,
    onEnded() {},
  })
  const loop = { ticks: 1, arrivedAtMs: (nowMs: number) => nowMs - waitedMs }
  const options = { deadlineMs: 100, onRefused: record.refused.bind(record) }
  const work = { isTooMuch: isHeavy, end() {} }
  const listener = new Intake({ ...options, loop, work, inHand: { count: inHand } }).admitting(
    (incoming, response) => {
      response.writeHead(200).end(`${performance.now() - acceptedAtMs(incoming)}`)
    },
  )
  const ask = async (url = '/v1/scores/a', method = 'GET', headers = {}) => {
    const told = { status: 0, headers: {}, text: '' }
    const response = {
      writeHead(status: number, lines: readonly string[] = []) {
        const names = lines.filter((_, at) => at % 2 === 0)
        const headers = names.map((name, at) => [name, lines[at * 2 + 1]!])
        Object.assign(told, { status, headers })
        return response
      },
      end: (text: string) => void (told.text = text),
    }
    listener({ url, method, headers } as IncomingMessage, response as unknown as Told)
    return new Response(told.text, told)
  }
  const page = () => prometheusText(record.durations.families())
  return { ask, loop, metrics, page }
}

test('the time of a request counts from when it can have arrived', async () => {
  const { ask } = door({ waitedMs: 40 })
  const reply = await ask()
  expect(reply.status).toBe(200)
  expect(Number(await reply.text())).toBeGreaterThanOrEqual(40)
})

test('with too many in hand a request is refused at once, told when to come again, and counted', async () => {
  const { ask, metrics, page } = door({ inHand: 1_001 })
  const reply = await ask()
  expect(reply.status).toBe(503)
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await reply.json()).toMatchObject({ code: 'OVERLOADED' })
  await ask('/v1/predict', 'POST')
  await ask('/v1/scores/a', 'DELETE')
  expect(metrics.values()['freshet.requests.refused']).toBe(3)
  for (const method of ['GET', 'POST', 'other'])
    expect(page()).toContain(`freshet_requests_total{method="${method}",route="/v1/*",status="503"} 1\n`)
})

test('what is asked of the gateway itself is let in whatever else there is', async () => {
  const { ask, metrics } = door({ inHand: 1_001, waitedMs: 1_000 })
  for (const url of ['/healthz', '/metrics']) expect((await ask(url)).status).toBe(200)
  expect(metrics.values()['freshet.requests.refused']).toBe(0)
})

test('a whole address is refused as its path is', async () => {
  const { ask } = door({ inHand: 1_001 })
  for (const url of ['http://a/v1/scores/a', 'HTTPS://a:1/v1/scores/a'])
    expect((await ask(url)).status).toBe(503)
  expect((await ask('http://a/healthz')).status).toBe(200)
})

test('a body that is too heavy is refused before it is read, others are let in', async () => {
  const { ask, metrics } = door({ isHeavy: (bytes) => bytes > 1_024 })
  expect((await ask('/v1/scores', 'POST', { 'content-length': '25000' })).status).toBe(503)
  expect((await ask('/v1/scores', 'POST', { 'content-length': '900' })).status).toBe(200)
  expect((await ask('/v1/scores', 'POST')).status).toBe(200)
  expect((await ask()).status).toBe(200)
  expect(metrics.values()['freshet.requests.refused']).toBe(1)
})

test('1,000 in hand are let in', async () => {
  expect((await door({ inHand: 1_000 }).ask()).status).toBe(200)
})

test('of many that have waited for half of their time, those beyond 128 in a turn of the loop are refused', async () => {
  const { ask, loop } = door({ waitedMs: 60 })
  for (let i = 0; i < 128; i++) expect((await ask()).status).toBe(200)
  expect((await ask()).status).toBe(503)
  loop.ticks++
  expect((await ask()).status).toBe(200)
})

test('many in a turn that have not waited are let in', async () => {
  const { ask } = door({ waitedMs: 40 })
  for (let i = 0; i < 200; i++) expect((await ask()).status).toBe(200)
})
