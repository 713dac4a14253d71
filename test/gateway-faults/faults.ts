import { until } from '../until.ts'
import { ballastFile } from './ballast.ts'
import type { Fault, Share } from './fault.ts'
import { ThreadKiller } from './kill-workers.ts'
import type { Asked } from './load/generator.ts'
import type { HangUpReport } from './load/hang-ups.ts'
import type { SlowReport } from './load/slow-clients.ts'
import { modelThreads } from './model-threads.ts'
import { POOLS, ranking } from './ranked-index.ts'
import { IN_BOTH, KEYS, keyOf, versionIn } from './truth.ts'
import { askOnce, forked, lookup, manyKeys, predict, type World } from './world.ts'

const SNAPSHOT_ONLY = numbers(IN_BOTH, KEYS)
const fromCache = ({ status, source }: Asked) => status === 200 && source === 'cache'
const isLive = ({ status, source }: Asked) => status === 200 && source === 'live'
const isAnswered = ({ status }: Asked) => status === 200
const isRefused = ({ status }: Asked) => status === 503
const MOSTLY_LIVE: Share = { what: 'answered live', atLeast: 0.95, is: isLive }

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

/** Only from the snapshot, and for one of these reasons. */
function fromSnapshot(...reasons: readonly string[]) {
  return ({ status, source, reason }: Asked) =>
    status === 200 && source === 'snapshot' && reasons.includes(reason ?? '')
      ? null
      : `${status} from ${source} for ${reason}`
}

const NOT_ASKED = ['cache_late', 'cache_cut_off', 'cache_unreachable', 'overloaded', 'deadline']

const redisFaults: readonly Fault[] = [
  {
    name: 'redis-stopped',
    title: 'Redis is killed, and comes back empty; then it is filled again',
    async begin(world) {
      await world.truth.losesAll(() => world.redis.kill())
      return async () => {
        await world.redis.restart()
        await world.refillAll()
      }
    },
    faultOf: fromSnapshot(...NOT_ASKED),
    isWell: fromCache,
  },
  {
    name: 'redis-frozen',
    title: 'Redis stands still with its sockets open (SIGSTOP)',
    async begin({ redis }) {
      redis.freeze()
      return async () => redis.thaw()
    },
    faultOf: fromSnapshot(...NOT_ASKED),
    isWell: fromCache,
  },
  {
    name: 'redis-slow',
    title: 'Redis answers half a second late',
    world: { redisThroughDoor: true },
    async begin({ redisDoor }) {
      redisDoor.delayMs = 500
      return async () => {
        redisDoor.delayMs = 0
      }
    },
    faultOf: fromSnapshot(...NOT_ASKED),
    isWell: fromCache,
  },
  {
    name: 'redis-refuses',
    title: 'Redis answers every read with an error (-MASTERDOWN)',
    async begin({ redis }) {
      const client = redis.newClient()
      await client.config('SET', 'replica-serve-stale-data', 'no')
      await client.replicaof('127.0.0.1', 1)
      return async () => {
        await client.replicaof('NO', 'ONE')
        client.disconnect()
      }
    },
    faultOf: fromSnapshot('cache_refused', ...NOT_ASKED),
    isWell: fromCache,
  },
  {
    name: 'redis-busy',
    title: 'A script without end keeps Redis busy (-BUSY)',
    async begin({ redis }) {
      const [script, client] = [redis.newClient(), redis.newClient()]
      await client.ping()
      const ended = script.eval('while true do end', 0).catch(() => {})
      return async () => {
        await client.script('KILL')
        await ended
        for (const one of [script, client]) one.disconnect()
      }
    },
    faultOf: fromSnapshot('cache_refused', ...NOT_ASKED),
    isWell: fromCache,
  },
  {
    name: 'redis-flushed',
    title: 'Redis is emptied; then it is filled again',
    async begin(world) {
      const client = world.redis.newClient()
      await world.truth.losesAll(() => client.flushall())
      client.disconnect()
      return () => world.refillAll()
    },
    faultOf: (one) =>
      fromCache(one) ? null : fromSnapshot('cache_missing', 'cache_filling', ...NOT_ASKED)(one),
    isWell: fromCache,
  },
]

const s3Faults: readonly Fault[] = [
  {
    name: 's3-gone-at-start',
    title: 'S3 is away when the gateway starts',
    world: { withoutS3: true },
    load: () => ({ requests: [...numbers(IN_BOTH - 100, IN_BOTH), ...SNAPSHOT_ONLY].map(lookup) }),
    begin:
      async ({ s3Door }) =>
      () =>
        s3Door.open(),
    allowsDefault: true,
    isWell: ({ source }) => source === 'cache' || source === 'snapshot',
  },
  {
    name: 's3-gone-later',
    title: 'S3 is away, and a new snapshot waits there',
    load: () => ({ requests: SNAPSHOT_ONLY.map(lookup) }),
    async begin(world) {
      await world.s3Door.slam()
      await world.publish(SNAPSHOT_ONLY)
      return () => world.s3Door.open()
    },
    isWell: hasNewest,
  },
  {
    name: 'delta-100-mb',
    title: 'A delta of 100 MB arrives',
    load: () => ({ requests: [...numbers(IN_BOTH - 100, IN_BOTH), ...SNAPSHOT_ONLY].map(lookup) }),
    async prepare(world) {
      ballasts.set(world, await ballastFile(world.store, BALLAST_ROWS))
    },
    async begin(world) {
      await world.publish(SNAPSHOT_ONLY, [ballasts.get(world)!])
      return async () => {}
    },
    isWell: ({ source }) => source === 'cache' || source === 'snapshot', // nothing was broken; `after` waits for it
    after: (world) =>
      until('the delta is loaded', async () => {
        const last = KEYS - 1
        const reply = await fetch(`http://127.0.0.1:${world.port}/v1/scores/${keyOf(last)}`)
        const { score } = (await reply.json()) as { score: number }
        return versionIn(score, last) === world.truth.snapshotVersions.at(-1)
      }),
  },
]

const BALLAST_ROWS = 2_500_000
const ballasts = new WeakMap<World, Awaited<ReturnType<typeof ballastFile>>>()

function hasNewest({ key, source, score }: Asked, { truth }: World): boolean {
  if (source !== 'snapshot') return source === 'cache'
  const number = Number(key!.slice('flights/k-'.length))
  return number < IN_BOTH || versionIn(score, number) === truth.snapshotVersions.at(-1)
}

const predictions = numbers(0, IN_BOTH).map((number) => predict(number))
/** Not the fault of the model: a document may be late on a busy machine. */
const liveOrStored = ({ status, source, reason }: Asked) =>
  status === 200 && (source === 'live' || LIVE_REASONS.has(reason ?? ''))
    ? null
    : `${status} from ${source}: ${reason}`
/** A document that takes seconds is nobody's live score within the bound. */
function storedForWant({ status, source, reason }: Asked): string | null {
  const isStored = status === 200 && (source === 'cache' || source === 'snapshot')
  return isStored && (reason === 'live_failed' || LIVE_REASONS.has(reason ?? ''))
    ? null
    : `${status} from ${source}: ${reason}`
}
const LIVE_REASONS = new Set(['live_late', 'live_overloaded', 'overloaded', 'deadline'])

/** What a turn of the model's loop takes; processors differ by twice and more. */
const turnMs = new WeakMap<World, number>()

/** The least of some: others may want the core. What is not answered live says nothing of the model. */
async function msOfATurn(world: World): Promise<number> {
  const tookMs: number[] = []
  await until('the model has answered ten times', async () => {
    const sentAtMs = performance.now()
    const reply = await askOnce(world, predict(0, PROBE_TURNS))
    const { source } = (await reply.json()) as { source?: string }
    if (source === 'live') tookMs.push(performance.now() - sentAtMs)
    return tookMs.length === 10
  })
  return Math.min(...tookMs) / PROBE_TURNS
}

/** Some 30 ms, so within what a prediction may take. */
const PROBE_TURNS = 15_000

const modelFaults: readonly Fault[] = [
  {
    name: 'model-slow',
    title: 'The model takes five seconds for every document',
    world: { withModel: true },
    load: (span, world) => ({
      requests: predictions,
      phases: [
        {
          ...span,
          requests: numbers(0, IN_BOTH).map((number) =>
            predict(number, Math.round(5_000 / turnMs.get(world)!)),
          ),
        },
      ],
    }),
    async prepare(world) {
      if (modelThreads(world.gatewayPid)?.all === 0) throw new Error('the model takes cores before the loop')
      turnMs.set(world, await msOfATurn(world))
    },
    begin: async () => async () => {},
    mayRefuse: () => true,
    shares: [{ what: 'answered', atLeast: 0.95, is: isAnswered }],
    computingThreads: 2,
    faultOf: storedForWant,
    isWell: isLive,
    after: ({ gatewayPid }) =>
      until(
        'no thread is in the model any more', // a process that ends under ONNX Runtime ends with SIGABRT
        async () => (modelThreads(gatewayPid)?.busy ?? 0) === 0,
        { giveUpMs: 150_000 },
      ),
  },
  {
    name: 'model-worker-crashes',
    title: 'The thread of the model dies, three times a second',
    world: { withModel: true, env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } },
    load: () => ({ requests: predictions }),
    async begin(world) {
      const killer = await ThreadKiller.open(/ws:\/\/\S+/.exec(world.output)![0])
      let kills = 0
      const killing = setInterval(() => {
        if (killer.killOldest()) kills++
      }, 333)
      return async () => {
        clearInterval(killing)
        killer[Symbol.dispose]()
        if (kills < 3) throw new Error(`only ${kills} threads were killed`)
      }
    },
    faultOf: (one) => (one.reason === 'live_failed' ? null : liveOrStored(one)),
    shares: [MOSTLY_LIVE],
    isWell: isLive,
  },
  {
    name: 'model-swapped',
    title: 'Another model is promoted, again and again',
    world: { withModel: true, env: { FRESHET_MODEL_POINTER_INTERVAL_MS: '200' } },
    load: () => ({ requests: predictions }),
    async begin(world) {
      let isOver = false
      const swapping = (async () => {
        for (let i = 0; !isOver; i++) {
          await world.promote(i % 2 === 0 ? '2' : '1')
          await new Promise((resolve) => setTimeout(resolve, 600))
        }
      })()
      return async () => {
        isOver = true
        await swapping
      }
    },
    faultOf: liveOrStored,
    shares: [MOSTLY_LIVE],
    faultOfAll: (all) => {
      const models = new Set(all.filter(isLive).map(({ model }) => model?.split('@')[1]))
      return models.has('1') && models.has('2') ? null : `only ${[...models]} answered`
    },
    isWell: isLive,
  },
]

/** The gateway's own patience with headers, and its look at them (http-server.ts), and a second. */
const HEADERS_CUT_OFF_MS = 3_500

const clientFaults: readonly Fault[] = [
  {
    name: 'clients-slow',
    title: 'Two hundred clients send their headers or bodies byte by byte',
    world: { withModel: true },
    async begin({ port, otherAnswers, otherStalls }) {
      const helper = forked('./load/slow-clients.ts')
      helper.child.send({ port, callers: 200, requests: predictions.slice(0, 10) })
      const longEnough = new Promise((resolve) => setTimeout(resolve, HEADERS_CUT_OFF_MS))
      return async () => {
        await longEnough
        const told = helper.says<SlowReport>()
        helper.child.send('stop')
        const { headersCutOff, answers, stalls } = await told
        otherAnswers.push(...answers)
        otherStalls.push(...stalls)
        await helper[Symbol.asyncDispose]()
        if (headersCutOff === 0) throw new Error('no one who drips his headers was cut off')
        const statuses = new Set(answers.map(({ status }) => status))
        // One that comes in while the machine stands still is refused at once.
        if (!statuses.has(408) || [...statuses].some((status) => status !== 408 && status !== 503))
          throw new Error(`slow bodies got ${[...statuses]}`)
      }
    },
    faultOf: (one) => (one.status === 200 ? null : `${one.status}: ${one.problem}`),
    isWell: fromCache,
  },
  {
    name: 'clients-hang-up',
    title: 'A thousand callers a second hang up',
    world: { withModel: true },
    async begin({ port }) {
      const helper = forked('./load/hang-ups.ts')
      helper.child.send({
        port,
        perSecond: 1_000,
        requests: [...predictions.slice(0, 50), ...numbers(0, 50).map(lookup)],
      })
      return async () => {
        const told = helper.says<HangUpReport>()
        helper.child.send('stop')
        const report = await told
        await helper[Symbol.asyncDispose]()
        if (Object.values(report).some((count) => count < 50))
          throw new Error(`too few hung up: ${JSON.stringify(report)}`)
      }
    },
    faultOf: (one) => (one.status === 200 ? null : `${one.status}: ${one.problem}`),
    isWell: fromCache,
  },
  {
    name: 'burst',
    title: 'Twenty times the load for 400 ms, six times',
    load: ({ fromMs }) => ({
      requestsPerSecond: 250,
      phases: [0, 1_000, 2_000, 3_000, 4_000, 5_000].map((atMs) => ({
        fromMs: fromMs + atMs,
        toMs: fromMs + atMs + 400,
        requestsPerSecond: 5_000,
      })),
    }),
    begin: async () => async () => {},
    mayRefuse: () => true,
    shares: [{ what: 'answered', atLeast: 0.75, is: isAnswered }],
    isWell: fromCache,
  },
  {
    name: 'overload',
    title: 'Several times as many lookups of 900 keys as the gateway has time for, beside single ones',
    load: (span) => ({
      phases: [
        {
          ...span,
          requestsPerSecond: 1_650,
          requests: [
            ...numbers(0, IN_BOTH).map(lookup),
            ...numbers(0, IN_BOTH / 3).map((number) => manyKeys(3 * number)),
          ],
        },
      ],
    }),
    begin: async () => async () => {},
    mayRefuse: () => true,
    shares: [
      { what: 'single ones answered', atLeast: 0.95, of: (one) => !isHeavy(one), is: isAnswered },
      { what: 'heavy ones refused', atLeast: 0.25, of: isHeavy, is: isRefused },
      { what: 'heavy ones answered', atLeast: 0.05, of: isHeavy, is: isAnswered },
    ],
    isWell: fromCache,
  },
]

function isHeavy({ operation }: Asked): boolean {
  return operation === 'POST /v1/scores'
}

/** One ranking for every five lookups. */
const rankings = [
  ...numbers(0, IN_BOTH).map(lookup),
  ...numbers(0, IN_BOTH / 5).map((number) => ranking(number % POOLS)),
]
const isFresh = ({ status, pool }: Asked) => status === 200 && (pool === null || pool === 'elasticsearch')

/** The best of the last pool, scored now, whatever became of Elasticsearch. */
function fromLastPool({ status, pool, reason }: Asked): string | null {
  if (status !== 200) return `${status}`
  return pool === null || (pool === 'last' && reason !== null) ? null : `a pool from ${pool} for ${reason}`
}

/** Only a pool that was seen can be the last one. */
async function askEveryPool(world: World): Promise<void> {
  for (const pool of numbers(0, POOLS))
    await until(`pool ${pool} is known`, async () => (await askOnce(world, ranking(pool))).ok)
}

const elasticsearchFaults: readonly Fault[] = [
  {
    name: 'elasticsearch-gone',
    title: 'Elasticsearch is away',
    world: { withIndex: true },
    load: () => ({ requests: rankings }),
    prepare: askEveryPool,
    async begin({ elasticsearchDoor }) {
      await elasticsearchDoor.slam()
      return () => elasticsearchDoor.open()
    },
    faultOf: fromLastPool,
    isWell: isFresh,
  },
  {
    name: 'elasticsearch-slow',
    title: 'Elasticsearch answers half a second late',
    world: { withIndex: true },
    load: () => ({ requests: rankings }),
    prepare: askEveryPool,
    async begin({ elasticsearchDoor }) {
      elasticsearchDoor.delayMs = 500
      return async () => {
        elasticsearchDoor.delayMs = 0
      }
    },
    faultOf: fromLastPool,
    isWell: isFresh,
  },
]

export const FAULTS: readonly Fault[] = [
  ...redisFaults,
  ...s3Faults,
  ...elasticsearchFaults,
  ...modelFaults,
  ...clientFaults,
]
