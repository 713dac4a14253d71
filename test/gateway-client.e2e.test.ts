/**
 * A backend asks through the client, and the gateway is stopped, frozen, killed or slow. Time is not measured: a call is
 * shown not to have waited by having settled while the gateway still could not answer.
 */
import { spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type ClientOptions, FreshetClient, type Result } from '@freshet/client/client.ts'
import { answerSchema } from '@freshet/gateway/routes/schemas.ts'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { storeForGateway } from './gateway-scores.ts'
import { Stack } from './stack.ts'
import { until } from './until.ts'

const CLIENT_FOLDER = fileURLToPath(new URL('../shared/client', import.meta.url))
/** Long for a gateway that is well on a busy machine, and short for one that never answers. */
const PATIENT_MS = 5_000
const SHORT_MS = 50

const KEY = 'sesame-open-thou'
const KEYS = [
  { name: 'shop', sha256: hash('sha256', KEY) },
  { name: 'lookups only', sha256: hash('sha256', `${KEY}-lookup`), scopes: ['lookup'] },
  { name: 'calm', sha256: hash('sha256', `${KEY}-calm`), requestsPerSecond: 0.01, burst: 2 },
]
const TEMPLATES = {
  'from-airport': {
    query: { term: { 'origin.keyword': { $param: 'origin' } } },
    parameters: { origin: { type: 'string' } },
  },
}

let stack: Stack

beforeAll(async () => {
  stack = await Stack.open({
    FRESHET_GATEWAY_KEYS: JSON.stringify(KEYS),
    FRESHET_GATEWAY_RANK_TEMPLATES: JSON.stringify(TEMPLATES),
    FRESHET_GATEWAY_DEADLINE_MS: String(PATIENT_MS),
    FRESHET_GATEWAY_REDIS_BUDGET_MS: String(PATIENT_MS),
    FRESHET_GATEWAY_RANK_ELASTICSEARCH_BUDGET_MS: String(PATIENT_MS),
  })
  await storeForGateway(stack, [
    { key: 'flights/UA-1', score: 12.5 },
    { key: 'flights/UA-2', score: 7 },
  ])
  await startGateway()
})

afterAll(() => stack[Symbol.asyncDispose]())

async function startGateway(): Promise<void> {
  stack.start('gateway')
  using client = clientOf()
  await until('the gateway answers live and from Redis', async () => {
    const { document } = stack.bundle.golden[0]!
    const [live, stored] = [await client.predict(document as object), await client.lookup('flights/UA-1')]
    return live.source === 'live' && stored.source === 'cache'
  })
}

function clientOf(options: Partial<ClientOptions> = {}): FreshetClient {
  return new FreshetClient({
    url: stack.gatewayUrl,
    apiKey: KEY,
    deadlineMs: PATIENT_MS,
    default: 3,
    ...options,
  })
}

const ask = (client: FreshetClient, deadlineMs: number) => client.lookup('flights/UA-1', { deadlineMs })

test('every call gets what the gateway says, in the gateway’s own types', async () => {
  using client = clientOf()
  const { document, outputs } = stack.bundle.golden[0]!
  const stored = await client.lookup('flights/UA-1')
  expect(answerSchema.parse(stored)).toMatchObject({ score: 12.5, source: 'cache' })
  expect(await client.lookupMany(['flights/UA-2', 'nobody', 'flights/UA-1'])).toMatchObject([
    { score: 7 },
    { key: 'nobody' },
    { score: 12.5 },
  ])
  const one = await client.predict(document as object, { key: 'flights/UA-1' })
  const many = await client.predict([{ document: document as object }, { document: { distance: 'far' } }])
  for (const live of [one, many[0]!]) {
    expect(answerSchema.parse(live)).toMatchObject({ source: 'live', degraded: false })
    expect(live.score).toBeCloseTo(Object.values(outputs)[0]!, 4)
  }
  expect(many[1]).toMatchObject({ source: 'none', reason: 'unscorable', problem: { status: 422 } })
  expect(await client.model()).toMatchObject({ model: one.model, degraded: false })
  // On a busy machine Elasticsearch may take longer for its first search than the gateway waits.
  const rank = () => client.rank({ template: 'from-airport', parameters: { origin: 'LGA' }, top: 2 })
  await expect
    .poll(rank, { timeout: 40_000 })
    .toMatchObject({ answers: [{ source: 'live' }, { source: 'live' }], degraded: false })
})

test('while the gateway is frozen every call settles before it is thawed; after that all is well again', async () => {
  using client = clientOf()
  expect(await ask(client, PATIENT_MS)).toMatchObject({ score: 12.5 })
  process.kill(stack.pidOf('gateway'), 'SIGSTOP')
  onTestFinished(() => void process.kill(stack.pidOf('gateway'), 'SIGCONT'))
  const reasons = new Set<string | undefined>()
  for (let i = 0; i < 20; i++) {
    const results = await Promise.all(Array.from({ length: 10 }, () => ask(client, SHORT_MS)))
    for (const result of results) {
      expect(result).toMatchObject({ score: 3, source: 'none', degraded: true })
      reasons.add(result.reason)
    }
  }
  expect(reasons).toEqual(new Set(['gateway_late', 'gateway_cut_off']))
  process.kill(stack.pidOf('gateway'), 'SIGCONT') // only now: had one of them waited for it, it would not be here
  await until('the client answers again', async () => (await ask(client, PATIENT_MS)).source === 'cache')
})

test('a gateway that is killed is unreachable at once, and found again after its start', async () => {
  using client = clientOf()
  await ask(client, PATIENT_MS)
  await stack.stop('gateway', 'SIGKILL')
  for (let i = 0; i < 20; i++)
    expect(await ask(client, PATIENT_MS)).toMatchObject({ score: 3, source: 'none', degraded: true })
  await startGateway()
  await until('the client answers again', async () => (await ask(client, PATIENT_MS)).source === 'cache')
})

test('while the gateway is told to stop and starts again, no call waits or throws', async () => {
  using client = clientOf()
  await ask(client, PATIENT_MS)
  const stopped = stack.stop('gateway')
  const reasons = new Set<string | undefined>()
  for (let isOver = false; !isOver; ) {
    const { source, reason } = await client.lookup('flights/UA-1')
    if (source === 'none') reasons.add(reason)
    isOver = reasons.has('gateway_cut_off')
  }
  expect(reasons).toEqual(new Set(['gateway_unreachable', 'gateway_cut_off']))
  expect(await stopped).toBe(0)
  await startGateway()
  await until('the client answers again', async () => (await ask(client, PATIENT_MS)).source === 'cache')
})

test('a slow way to the gateway costs the deadline and no more, and is left alone after a few calls', async () => {
  await using road = await Road.to(stack.gatewayUrl)
  using client = clientOf({ url: road.url })
  expect(await ask(client, PATIENT_MS)).toMatchObject({ score: 12.5 })
  road.close()
  let result = await ask(client, SHORT_MS)
  while (result.reason === 'gateway_late') result = await ask(client, SHORT_MS)
  expect(result).toMatchObject({ score: 3, reason: 'gateway_cut_off' })
  expect(road.isClosed).toBe(true)
  road.open()
  await until('the client answers again', async () => (await ask(client, PATIENT_MS)).source === 'cache')
})

test('a key is good for its scopes and its rate, and stands in no line of the gateway', async () => {
  const problemOf = async (apiKey: string, call: (client: FreshetClient) => Promise<Result>) => {
    using client = clientOf({ apiKey })
    const result = await call(client)
    return result.source === 'none' ? result.problem : undefined
  }
  const lookup = (client: FreshetClient) => client.lookup('flights/UA-1')
  const predict = (client: FreshetClient) => client.predict(stack.bundle.golden[0]!.document as object)
  expect(await problemOf(`${KEY}-wrong`, lookup)).toMatchObject({ code: 'API_KEY_REFUSED' })
  expect(await problemOf(`${KEY}-lookup`, lookup)).toBeUndefined()
  expect(await problemOf(`${KEY}-lookup`, predict)).toMatchObject({ code: 'SCOPE_MISSING' })
  expect(await problemOf(`${KEY}-calm`, lookup)).toBeUndefined()
  expect(await problemOf(`${KEY}-calm`, lookup)).toBeUndefined()
  expect(await problemOf(`${KEY}-calm`, lookup)).toMatchObject({ code: 'RATE_LIMITED', retryable: true })
  const inAddress = await fetch(`${stack.gatewayUrl}/v1/scores?key=a&api_key=${KEY}&x-api-key=${KEY}`)
  expect(inAddress.status).toBe(401)
  await stack.stop('gateway')
  expect(stack.output.gateway).not.toContain(KEY)
  await startGateway()
})

test('the example of the client’s README works as it stands', async () => {
  const readme = readFileSync(`${CLIENT_FOLDER}/README.md`, 'utf8')
  const example = /```ts\n(.*?)```/s
    .exec(readme)![1]!
    .replace('http://127.0.0.1:8080', stack.gatewayUrl)
    .replace('deadlineMs: 50', `deadlineMs: ${PATIENT_MS}, apiKey: '${KEY}'`)
    .replace('deadlineMs: 80', `deadlineMs: ${PATIENT_MS}`)
  const shown = 'console.log(JSON.stringify({ score, source, answers, live, ranking }))'
  await vi.waitFor(async () => {
    expect(JSON.parse(await outputOf(example + shown))).toMatchObject({
      score: 12.5,
      source: 'cache',
      answers: [{ score: 12.5 }, { score: 7 }],
      live: { key: 'flights/UA-1' },
      ranking: { answers: [{}, {}, {}], degraded: false },
    })
  }, 40_000) // on a busy machine a first answer is degraded now and then
})

async function outputOf(script: string): Promise<string> {
  const program = spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], {
    cwd: CLIENT_FOLDER,
  })
  let output = ''
  for (const stream of [program.stdout, program.stderr])
    stream.on('data', (text) => void (output += String(text)))
  const [code] = (await once(program, 'close')) as [number]
  expect({ code, output }).toMatchObject({ code: 0 })
  return output
}

/** A way to the gateway on which nothing arrives while it is closed; what was sent then arrives when it opens. */
class Road implements AsyncDisposable {
  readonly #server
  readonly #sockets = new Set<Socket>()
  isClosed = false

  static async to(target: string): Promise<Road> {
    const road = new Road(Number(new URL(target).port))
    await once(road.#server.listen(0, '127.0.0.1'), 'listening')
    return road
  }

  private constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1')
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one)
        one.on('data', (bytes) => void other.write(bytes))
        one.on('error', () => {})
        one.once('close', () => {
          this.#sockets.delete(one)
          other.destroy()
        })
        if (this.isClosed) one.pause()
      }
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.isClosed = true
    for (const socket of this.#sockets) socket.pause()
  }

  open(): void {
    this.isClosed = false
    for (const socket of this.#sockets) socket.resume()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
