/**
 * Scoring under fire, on real servers: documents are written, updated and deleted at a steady rate while two scorers,
 * Kafka and Redis are killed with -9, or stand still (SIGSTOP) and go on as if nothing had happened: a scorer that does so
 * for 30 s is a zombie, its partitions long given to the other. However short the run, each scorer is killed once, and one
 * is such a zombie. S3 is cut off in the middle of what it is asked, or stands still;
 * it is not killed, because S3Mock empties its own books when it dies in a write, as no S3 does. At the end the
 * conservation oracle judges Redis and the snapshot.
 *
 * The seed decides who is struck, how, and for how long: `SEED=… CHAOS_SECONDS=600 npx vitest run --project cluster
 * test/scorer-chaos.cluster.test.ts` replays the decisions of a run (not its timing), or makes it longer.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Flight, readFlights } from '@freshet/demo/flights.ts'
import { seeded } from '@freshet/stage/seeded.ts'
import { kafka } from '@freshet/up/kafka.ts'
import { redis } from '@freshet/up/redis.ts'
import { s3 } from '@freshet/up/s3.ts'
import { expect, test } from 'vitest'
import { FrontDoor } from './cluster/front-door.ts'
import { NativeServer } from './cluster/native-server.ts'
import { type ProcessName, Stack } from './stack.ts'

const SECONDS = Number(process.env['CHAOS_SECONDS'] ?? 45)
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e6))
/** Longer than the session of a consumer: when it goes on, the other has its partitions. */
const ZOMBIE_MS = 30_000
type ScorerBlow = 'is killed' | 'becomes a zombie' | 'stands still'
/** What befalls each in any case, in this order; then kills and pauses as they come. */
const SCORERS = {
  scorer: ['becomes a zombie', 'is killed'],
  'scorer-2': ['is killed', 'stands still'],
} as const satisfies Partial<Record<ProcessName, readonly ScorerBlow[]>>
const WRITE_EVERY_MS = 100
const WRITES = 20
const KEYS = 1_500
const DELETE_SHARE = 0.05
const UNSCORABLE_SHARE = 0.02
/** From the last blow to the last score, on a machine that has more to do: sessions end, groups find together, and a sweep of 40 s comes again. */
const SETTLE_MS = 240_000
const TEST_MS = SECONDS * 1_000 + 10 * 60_000

const strikes = `scorers, Kafka, Redis and S3 struck while documents are written [SEED=${SEED}, ${SECONDS} s]`
test(`${strikes}: no score is missing, stale or extra`, { timeout: TEST_MS }, async ({ annotate }) => {
  await using servers = new AsyncDisposableStack()
  const start = async (server: typeof kafka) => servers.use(await NativeServer.start(server))
  const [broker, cache, store] = await Promise.all([kafka, redis, s3].map(start))
  const door = servers.use(await FrontDoor.open(() => [store!.port!]))
  await using stack = await Stack.open({
    FRESHET_KAFKA_BROKERS: `127.0.0.1:${broker!.port}`,
    FRESHET_REDIS_URL: `redis://127.0.0.1:${cache!.port}`,
    FRESHET_S3_ENDPOINT: door.url,
    FRESHET_TELEMETRY_ENABLED: 'false',
    FRESHET_SWEEP_PAUSE_SECONDS: '1',
  })
  const names = ['poller', 'scorer', 'scorer-2'] as const
  stack.start(...names)

  const chaos = new Chaos(stack)
  const settled = new AbortController()
  const keeping = chaos.keepRunning(names, settled.signal)
  try {
    const over = AbortSignal.timeout(SECONDS * 1_000)
    const writing = writeSteadily(stack, over)
    await Promise.all([
      chaos.strikeServer('Kafka', broker!, killed(broker!), over),
      chaos.strikeServer('Redis', cache!, killed(cache!), over),
      chaos.strikeServer('S3', store!, cutOff(door), over),
      chaos.strikeScorer('scorer', over),
      chaos.strikeScorer('scorer-2', over),
    ])
    const written = await writing
    await annotate(`${written} writes, ${chaos.blows.length} blows`)
    expect(written).toBeGreaterThan(0)
    await stack.conserved({ giveUpMs: SETTLE_MS })
  } catch (cause) {
    throw new Error(`after these blows:\n${chaos.blows.join('\n')}`, { cause })
  } finally {
    settled.abort()
    await keeping
  }
})

/** How a server goes away, and comes back with its data. */
interface Away {
  readonly verb: string
  begin(): Promise<void>
  end(): Promise<void>
}

function killed(server: NativeServer): Away {
  return { verb: 'killed', begin: () => server.kill(), end: () => server.restart() }
}

function cutOff(door: FrontDoor): Away {
  return { verb: 'cut off', begin: () => door.slam(), end: () => door.open() }
}

class Chaos {
  /** What was done, in its order. */
  readonly blows: string[] = []
  readonly #stack: Stack
  readonly #startMs = performance.now()
  #struck = 0

  constructor(stack: Stack) {
    this.#stack = stack
  }

  /** Away and paused in turn, until the time is over and it has met both. Heals what it struck. */
  async strikeServer(name: string, server: NativeServer, away: Away, over: AbortSignal): Promise<void> {
    const random = this.#chance()
    const first = random() < 0.5 ? 0 : 1
    for (let blow = first; ; blow++) {
      await sleep(between(random, 2_000, 10_000))
      if (over.aborted && blow - first >= 2) return
      const awayMs = between(random, 500, 8_000)
      if (blow % 2 === 0) {
        this.#tell(`${name} stands still for ${awayMs} ms`)
        server.freeze()
        await sleep(awayMs)
        server.thaw()
      } else {
        this.#tell(`${name} is ${away.verb}`)
        await away.begin()
        await sleep(awayMs / 4)
        await away.end()
        this.#tell(`${name} is back`)
      }
    }
  }

  async strikeScorer(name: keyof typeof SCORERS, over: AbortSignal): Promise<void> {
    const random = this.#chance()
    const certain = SCORERS[name]
    for (let blow = 0; ; blow++) {
      await sleep(between(random, 3_000, 12_000))
      if (over.aborted && blow >= certain.length) return
      const what = certain[blow] ?? (random() < 0.4 ? 'stands still' : 'is killed')
      if (what === 'is killed') await this.#kill(name)
      else await this.#pause(name, what === 'becomes a zombie' ? ZOMBIE_MS : between(random, 500, 12_000))
    }
  }

  /** What a supervisor does: a service that could not start because a server was down is started again. */
  async keepRunning(names: readonly ProcessName[], over: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(500)
      if (over.aborted) return
      for (const name of names) {
        if (!this.#stack.hasEnded(name)) continue
        this.#tell(`${name} has ended with ${await this.#stack.stop(name)}, and is started`)
        this.#stack.start(name)
      }
    }
  }

  async #kill(name: ProcessName): Promise<void> {
    this.#tell(`${name} is killed`)
    await this.#stack.stop(name, 'SIGKILL')
    this.#stack.start(name)
  }

  async #pause(name: ProcessName, ms: number): Promise<void> {
    if (this.#stack.hasEnded(name)) return
    this.#tell(`${name} stands still for ${ms} ms`)
    const pid = this.#stack.pidOf(name)
    process.kill(pid, 'SIGSTOP')
    await sleep(ms)
    process.kill(pid, 'SIGCONT')
  }

  /** Of its own for each that is struck, so that no one's pace changes what becomes of another. */
  #chance(): () => number {
    return seeded(SEED + ++this.#struck)
  }

  #tell(blow: string): void {
    this.blows.push(`${((performance.now() - this.#startMs) / 1_000).toFixed(1)} s: ${blow}`)
  }
}

/** Creates, updates and deletes, and some documents that no model can score. @returns how many */
async function writeSteadily({ client, index }: Stack, over: AbortSignal): Promise<number> {
  const random = seeded(SEED)
  const flights = await readFlights()
  for (let written = 0; ; written += WRITES) {
    if (over.aborted) return written
    const operations = Array.from({ length: WRITES }, () => randomWrite(index, flights, random)).flat()
    const { items } = await client.bulk({ operations })
    const failed = items.find((item) => Object.values(item)[0]!.status >= 400 && item.delete === undefined)
    if (failed) throw new Error(JSON.stringify(failed))
    await sleep(WRITE_EVERY_MS)
  }
}

function randomWrite(index: string, flights: readonly Flight[], random: () => number): object[] {
  const pick = (count: number) => Math.floor(random() * count)
  const action = { _index: index, _id: `k${pick(KEYS)}` }
  const kind = random()
  if (kind < DELETE_SHARE) return [{ delete: action }]
  if (kind < DELETE_SHARE + UNSCORABLE_SHARE) return [{ index: action }, { note: 'no distance, no schedule' }]
  return [{ index: action }, { ...flights[pick(flights.length)]!.document, dep_delay: pick(600) - 60 }]
}

function between(random: () => number, low: number, high: number): number {
  return Math.round(low + random() * (high - low))
}
