import cluster from 'node:cluster'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { freePort, RedisServer } from '@freshet/adapters/redis/redis-server.kit.ts'
import { apiKeySchema } from '@freshet/config/gateway-access.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { rowsOf } from '@freshet/ports/score-store.contract.ts'
import type { Answer } from '@freshet/records/answer.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { afterAll, expect, test, vi } from 'vitest'
import { begunRequest } from '../server/begun-request.kit.ts'
import { runWorkers } from './run-workers.ts'

/**
 * A worker loads the whole gateway, which is more than a second of work, or half a second from the compile cache: each test
 * starts two or more, and where dozens share the cores that has taken most of a minute.
 */
const WITHIN = { timeout: 120_000 }
vi.setConfig({ testTimeout: 300_000 })
const compileCache = await mkdtemp(join(tmpdir(), 'freshet-workers-'))
process.env['NODE_COMPILE_CACHE'] = compileCache // as who runs `freshet` hands it on
afterAll(() => rm(compileCache, { recursive: true, force: true }))

/** Two workers on a free port, over a Redis with one score. */
class TwoWorkers implements AsyncDisposable {
  readonly metrics = new Metrics()
  readonly state = new ServiceState()
  readonly ended: Promise<void>
  readonly settings: Settings
  readonly #stop = new AbortController()

  constructor(redisUrl: string, port: number, overrides: Partial<Settings['gateway']> = {}) {
    const settings = loadSettings({ env: process.env })
    this.settings = {
      ...settings,
      pipeline: 'test',
      redis: { ...settings.redis, url: redisUrl },
      s3: { ...settings.s3, endpoint: 'http://127.0.0.1:1' },
      telemetry: { ...settings.telemetry, enabled: false, logLevel: 'error' },
      gateway: {
        ...settings.gateway,
        port,
        deadlineMs: 1_000,
        redisBudgetMs: 500,
        default: 0.5,
        ...overrides,
      },
    }
    this.ended = runWorkers(
      {
        settings: this.settings,
        instance: 'gateway-test',
        telemetry: quietTelemetry({ log: quietLog, metrics: this.metrics }),
        signal: this.#stop.signal,
        report: this.state,
      },
      2,
    )
    this.ended.catch(() => {})
  }

  /** Over a connection of its own, so that it comes to another worker each time. */
  async get(path: string): Promise<string> {
    const socket = connect(this.settings.gateway.port, '127.0.0.1').setEncoding('utf8')
    socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: sesame\r\nconnection: close\r\n\r\n`)
    let text = ''
    socket.on('data', (more) => (text += more))
    await once(socket, 'close')
    return text.slice(text.indexOf('\r\n\r\n') + 4)
  }

  async isListening(): Promise<boolean> {
    const socket = connect(this.settings.gateway.port, '127.0.0.1')
    const connected = once(socket, 'connect').then(() => true)
    return connected.catch(() => false).finally(() => socket.destroy())
  }

  async score(): Promise<Answer> {
    return JSON.parse(await this.get('/v1/scores/a')) as Answer
  }

  /** Numbers of the workers that the page for Prometheus tells of, and their answers in all. */
  async scraped(): Promise<{ workers: string[]; answers: number }> {
    const lines = (await this.get('/metrics')).split('\n')
    const told = lines.filter((line) => line.startsWith('freshet_answers_total{source="cache"'))
    return {
      workers: told.map((line) => /worker="(\d)"/.exec(line)![1]!),
      answers: told.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0),
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => undefined)
  }
}

async function redisWithScore(): Promise<RedisServer> {
  const redis = await RedisServer.start()
  const settings = { ...loadSettings({ env: process.env }).redis, url: redis.url }
  await using store = await RedisScoreStore.open(settings, { pipeline: 'test', log: quietLog })
  await store.merge(rowsOf([{ key: 'a', score: 1 }]))
  return redis
}

test('workers share a port, and every one tells the figures of all', async () => {
  await using redis = await redisWithScore()
  await using gateway = new TwoWorkers(redis.url, await freePort())
  await expect.poll(async () => (await gateway.scraped()).workers, WITHIN).toEqual(['1', '2'])
  const someSources = async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => gateway.score()))
    return new Set(answers.map(({ source }) => source))
  }
  await expect.poll(someSources, WITHIN).toEqual(new Set(['cache'])) // both have found Redis
  for (let i = 0; i < 20; i++)
    await expect.poll(() => gateway.score(), WITHIN).toMatchObject({ score: 1, source: 'cache' })
  await expect.poll(async () => (await gateway.scraped()).workers, WITHIN).toEqual(['1', '2'])
  for (let i = 0; i < 4; i++) expect((await gateway.scraped()).answers).toBeGreaterThanOrEqual(21)
  await expect
    .poll(() => gateway.metrics.values()['freshet.answers.cache'], WITHIN)
    .toBeGreaterThanOrEqual(21)
  expect(gateway.state.snapshot().progress['answers']).toBeGreaterThanOrEqual(21)
})

test('a stop answers what is in hand, and takes nothing new', async () => {
  await using redis = await redisWithScore()
  await using gateway = new TwoWorkers(redis.url, await freePort(), { deadlineMs: 20_000 })
  await expect.poll(async () => (await gateway.scraped()).workers, WITHIN).toEqual(['1', '2'])
  const inHand = await Promise.all(
    Array.from({ length: 20 }, () => begunRequest(gateway.settings.gateway.port)),
  )
  const stopped = gateway.stop()
  await expect.poll(() => gateway.isListening(), { ...WITHIN, interval: 20 }).toBe(false)
  const answers = await Promise.all(inHand.map((request) => request.finish()))
  for (const answer of answers) expect(answer).toMatch(/HTTP\/1\.1 200 OK.*"source":"(cache|default)"/s)
  await stopped
})

test('a worker that is killed is replaced and counted, and the other answers meanwhile', async () => {
  await using redis = await redisWithScore()
  await using gateway = new TwoWorkers(redis.url, await freePort())
  await expect.poll(async () => (await gateway.scraped()).workers, WITHIN).toEqual(['1', '2'])
  const [victim] = Object.values(cluster.workers ?? {})
  victim!.process.kill('SIGKILL')
  await expect.poll(() => gateway.metrics.values()['freshet.gateway.workers_replaced'], WITHIN).toBe(1)
  expect((await gateway.score()).source).toMatch(/^(cache|default)$/) // by whichever, on a busy machine
  await expect.poll(async () => (await gateway.scraped()).workers, WITHIN).toEqual(['1', '2'])
})

test('a worker that stands still is killed and replaced', async () => {
  await using redis = await redisWithScore()
  await using gateway = new TwoWorkers(redis.url, await freePort())
  await expect.poll(async () => (await gateway.scraped()).workers, WITHIN).toEqual(['1', '2'])
  const [frozen] = Object.values(cluster.workers ?? {})
  frozen!.process.kill('SIGSTOP')
  await expect.poll(() => frozen!.process.signalCode, WITHIN).toBe('SIGKILL')
  await expect.poll(async () => (await gateway.scraped()).workers, WITHIN).toEqual(['1', '2'])
  expect(gateway.metrics.values()['freshet.gateway.workers_replaced']).toBe(1)
})

test('a stop that comes between the end of workers and the news of it is a stop', async () => {
  await using redis = await redisWithScore()
  await using gateway = new TwoWorkers(redis.url, await freePort())
  await expect.poll(async () => (await gateway.scraped()).workers, WITHIN).toEqual(['1', '2'])
  for (const worker of Object.values(cluster.workers ?? {})) worker!.process.kill('SIGKILL')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500) // they are gone, and this process has not heard
  await gateway.stop()
})

test('a port that is taken is told as that, once, and no worker is left', async () => {
  await using redis = await redisWithScore()
  const gateway = new TwoWorkers(redis.url, redis.port)
  await expect(gateway.ended).rejects.toMatchObject({ code: 'PORT_TAKEN' })
  expect(Object.values(cluster.workers ?? {})).toEqual([])
})

test('a key has one rate, whichever worker its requests come to', async () => {
  const shop = {
    name: 'shop',
    sha256: hash('sha256', 'sesame'),
    scopes: ['lookup', 'metrics'],
    requestsPerSecond: 0.01,
    burst: 2_000,
  }
  await using redis = await redisWithScore()
  await using gateway = new TwoWorkers(redis.url, await freePort(), { keys: [apiKeySchema.parse(shop)] })
  const { port } = gateway.settings.gateway
  // What one lets in before the other has begun, the other does not hear of.
  const told = async () => (await gateway.scraped()).workers
  await expect.poll(told, { ...WITHIN, interval: 200 }).toEqual(['1', '2'])
  const ask = async (agent: Agent | false) => {
    const headers = { 'x-api-key': 'sesame' }
    const asking = request({ port, host: '127.0.0.1', path: '/v1/scores/a', agent, headers }).end()
    const [reply] = (await once(asking, 'response')) as [IncomingMessage]
    reply.resume()
    await once(reply, 'close')
    return reply.statusCode
  }
  const oneConnection = new Agent({ keepAlive: true, maxSockets: 1 })
  while ((await ask(oneConnection)) === 200);
  oneConnection.destroy()
  // Connections come to both in turn. The other has let in next to nothing of the 2,000 itself.
  const both = async () => [await ask(false), await ask(false)]
  await expect.poll(both, { ...WITHIN, interval: 500 }).toEqual([429, 429])
})
