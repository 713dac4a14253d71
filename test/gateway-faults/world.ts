import { type ChildProcess, fork, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { freePort, RedisServer } from '@freshet/adapters/redis/redis-server.kit.ts'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { NODE_FLAGS } from '@freshet/cli/node-flags.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { fixtureBundle } from '@freshet/model/bundle/bundles.kit.ts'
import { promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { MANIFEST_OBJECT, manifestRecord, type SnapshotFile } from '@freshet/records/manifest.ts'
import { objectKey } from '@freshet/snapshot/manifest.ts'
import { sortRows } from '@freshet/snapshot/sort.ts'
import { wholeFile } from '@freshet/snapshot/whole-file.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { FrontDoor } from '../cluster/front-door.ts'
import { PROGRAM } from '../stack.ts'
import { until } from '../until.ts'
import type { ControlOrder, ControlReport } from './load/control.ts'
import type { LoadOrder, LoadReport, Stall } from './load/generator.ts'
import { monotonicMs } from './load/monotonic.ts'
import type { SlowAnswer } from './load/slow-clients.ts'
import { rankedIndex, rankingConfig } from './ranked-index.ts'
import { IN_BOTH, KEYS, keepWriting, keyOf, Truth } from './truth.ts'

const EVERYTHING = Array.from({ length: KEYS }, (_, number) => number)

export interface WorldOptions {
  /** Environment of the gateway, over the world's own. */
  readonly env?: Readonly<Record<string, string>>
  /** What the gateway answers live with. */
  readonly withModel?: boolean
  /** The gateway finds no S3 when it starts. */
  readonly withoutS3?: boolean
  /** The gateway asks Redis through the door. */
  readonly redisThroughDoor?: boolean
  /** An index whose documents are ranked, and a model. */
  readonly withIndex?: boolean
}

/**
 * A gateway as a user runs it, over a Redis of its own, and doors before S3 and Redis. Redis has newer scores than the
 * snapshot, and they go on changing.
 */
export class World implements AsyncDisposable {
  readonly redis: RedisServer
  readonly s3Door: FrontDoor
  readonly redisDoor: FrontDoor
  readonly elasticsearchDoor: FrontDoor
  readonly truth = new Truth()
  readonly settings: Settings
  readonly store: ObjectStore
  readonly #env: NodeJS.ProcessEnv
  readonly #opened: AsyncDisposableStack
  readonly #files: SnapshotFile[] = []
  #sequence = 0
  #gateway: ChildProcess | undefined
  /** What the gateway has written. */
  output = ''
  /** Answers to others than the load, which are to be in time as well, and no refusals. */
  readonly otherAnswers: SlowAnswer[] = []
  /** When those who asked for them stood still. */
  readonly otherStalls: Stall[] = []

  static async open(options: WorldOptions): Promise<World> {
    await using opened = new AsyncDisposableStack()
    const redis = opened.use(await RedisServer.start(['--busy-reply-threshold', '100']))
    const direct = loadSettings({ env: process.env })
    const s3Port = Number(new URL(direct.s3.endpoint!).port)
    const s3Door = opened.use(await FrontDoor.open(() => [s3Port]))
    const redisDoor = opened.use(await FrontDoor.open(() => [redis.port]))
    const elasticsearch = new URL(direct.elasticsearch.url)
    const elasticsearchDoor = opened.use(await FrontDoor.open(() => [Number(elasticsearch.port)]))
    const pipeline = `f${randomBytes(5).toString('hex')}`
    const env = {
      ...process.env,
      FRESHET_PIPELINE: pipeline,
      FRESHET_S3_PREFIX: pipeline,
      FRESHET_S3_ENDPOINT: s3Door.url,
      FRESHET_REDIS_URL: options.redisThroughDoor ? `redis://127.0.0.1:${redisDoor.port}` : redis.url,
      FRESHET_REDIS_TTL_SECONDS: '0',
      FRESHET_GATEWAY_PORT: `${await freePort()}`,
      FRESHET_TELEMETRY_ENABLED: 'false',
      FRESHET_SNAPSHOT_FOLLOW_SECONDS: '1',
      FRESHET_HOME: `/nonexistent/${pipeline}`,
      FRESHET_ELASTICSEARCH_INDEX: pipeline,
      FRESHET_ELASTICSEARCH_URL: elasticsearchDoor.url,
      ...(options.withIndex && { FRESHET_CONFIG: await rankingConfig(opened) }),
      ...options.env,
    }
    const settings = loadSettings({ env: { ...env, FRESHET_CONFIG: undefined } })
    if (options.withIndex) opened.use(await rankedIndex(direct, pipeline))
    const store = opened.use(openS3({ ...settings.s3, endpoint: direct.s3.endpoint }))
    await ensureBucket(direct.s3)
    return new World({ redis, s3Door, redisDoor, elasticsearchDoor, settings, store, env }, opened.move())
  }

  private constructor(
    parts: Pick<World, 'redis' | 's3Door' | 'redisDoor' | 'elasticsearchDoor' | 'settings' | 'store'> & {
      env: NodeJS.ProcessEnv
    },
    opened: AsyncDisposableStack,
  ) {
    this.redis = parts.redis
    this.s3Door = parts.s3Door
    this.redisDoor = parts.redisDoor
    this.elasticsearchDoor = parts.elasticsearchDoor
    this.settings = parts.settings
    this.store = parts.store
    this.#env = parts.env
    this.#opened = opened
  }

  get port(): number {
    return this.settings.gateway.port
  }

  get gatewayPid(): number {
    return this.#gateway!.pid!
  }

  /** Scores in their stores and a model, if one is wanted; then the gateway, ready to answer from all that it is to have. */
  async begin({ withIndex = false, withModel = withIndex, withoutS3 = false }: WorldOptions): Promise<void> {
    await this.publish(EVERYTHING)
    await this.refill(EVERYTHING.slice(0, IN_BOTH))
    if (withModel) {
      for (const version of ['1', '2']) await pushModel(this.store, await slowModel(version))
      await this.promote('1')
    }
    if (withoutS3) await this.s3Door.slam()
    this.#gateway = spawn(process.execPath, [...NODE_FLAGS, PROGRAM, 'run', 'gateway'], {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#gateway.stdout, this.#gateway.stderr])
      stream!.on('data', (text) => {
        this.output = (this.output + text).slice(-20_000)
      })
    const wanted = ['cache', ...(withoutS3 ? [] : ['snapshot']), ...(withModel ? ['live'] : [])]
    await until(
      `the gateway answers from ${wanted}`,
      async () => {
        const { rungs } = (await (await fetch(`http://127.0.0.1:${this.port}/readyz`)).json()) as Readyz
        return wanted.every((name) => rungs[name]?.ready === true)
      },
      { explain: () => this.output },
    )
  }

  /** A new version of these keys becomes a delta, together with rows that nobody asks for. */
  async publish(numbers: readonly number[], ballast: readonly SnapshotFile[] = []): Promise<number> {
    const { version, rows } = this.truth.next(numbers)
    const { bytes, ...facts } = await wholeFile([sortRows(rows)])
    const object = `v${version}.parquet`
    await this.store.put(objectKey(object), bytes)
    this.truth.snapshotVersions.push(version)
    this.#files.push(...ballast, { object, bytes: bytes.length, ...facts })
    const manifest = manifestRecord.encode({
      version: 1,
      pipeline: this.settings.pipeline,
      sequence: ++this.#sequence,
      writtenAtMs: Date.now(),
      writtenBy: { instance: 'faults', attempt: `${version}` },
      partitions: { 0: { nextOffset: version, base: null, deltas: this.#files, retired: [] } },
    })
    await this.store.put(MANIFEST_OBJECT, Buffer.from(manifest))
    return version
  }

  /** @returns versions of Redis grow until it is stopped. */
  keepWriting(): AsyncDisposable {
    const stop = new AbortController()
    const writing = this.#withWriter((store) =>
      keepWriting(this.truth, (...args) => store.merge(...args), stop.signal),
    )
    return {
      async [Symbol.asyncDispose]() {
        stop.abort()
        await writing
      },
    }
  }

  /** A new version of these keys is in Redis. */
  async refill(numbers: readonly number[]): Promise<void> {
    const { version, rows } = this.truth.next(numbers)
    await this.#withWriter((store) => store.merge(rows))
    this.truth.wrote(numbers, version, monotonicMs())
  }

  /** All that Redis should hold, after it has lost it. */
  async refillAll(): Promise<void> {
    const { rows, wrote } = this.truth.newest()
    await this.#withWriter((store) => store.merge(rows))
    wrote(monotonicMs())
  }

  async promote(version: string): Promise<void> {
    await promoteModel(this.store, (await slowModel(version)).spec, Date.now())
  }

  /** @param onBegin the load has begun. */
  async load(
    order: Omit<LoadOrder, 'port'>,
    onBegin: () => Promise<void>,
  ): Promise<LoadReport & { control: ControlReport }> {
    await using generator = forked('./load/generator.ts')
    await using control = forked('./load/control.ts')
    control.child.send({
      gatewayPid: this.gatewayPid,
      generatorPid: generator.child.pid!,
    } satisfies ControlOrder)
    await control.says()
    generator.child.send({ ...order, port: this.port } satisfies LoadOrder)
    await generator.says()
    const reported = generator.says<LoadReport>()
    await Promise.all([reported, onBegin()])
    const watched = control.says<ControlReport>()
    control.child.send('stop')
    return { ...(await reported), control: await watched }
  }

  /** @returns the exit code, or the signal that ended it. */
  async stopGateway(): Promise<number | string | null> {
    const gateway = this.#gateway
    if (gateway === undefined) return null
    const ending = gateway.exitCode ?? gateway.signalCode
    if (ending !== null) return ending
    gateway.kill('SIGTERM')
    const [code, signal] = (await once(gateway, 'exit')) as [number | null, string | null]
    return code ?? signal
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#gateway !== undefined && (this.#gateway.exitCode ?? this.#gateway.signalCode) === null) {
      this.#gateway.kill('SIGKILL')
      await once(this.#gateway, 'exit')
    }
    for (const { key } of await this.store.list('')) await this.store.delete(key)
    await this.#opened.disposeAsync()
  }

  async #withWriter(work: (store: RedisScoreStore) => Promise<void>): Promise<void> {
    await using store = await RedisScoreStore.open(
      { ...this.settings.redis, url: this.redis.url },
      { pipeline: this.settings.pipeline, log: quietLog },
    )
    await work(store)
  }
}

interface Readyz {
  readonly rungs: Readonly<Record<string, { ready: boolean } | undefined>>
}

/** score = 10·a, after b turns of a loop. */
async function slowModel(version: string) {
  const bundle = await fixtureBundle(
    'as-slow-as-told.onnx',
    [{ name: 'score', tensor: 'score', column: 0 }],
    version,
  )
  return { ...bundle, golden: [{ document: { a: 1, b: 2 }, outputs: { score: 10 } }] }
}

export interface Helper extends AsyncDisposable {
  readonly child: ChildProcess
  /** Its next message. @throws when it ends before */
  says<T>(): Promise<T>
}

/** A process of the test's own. Disposing ends it. */
export function forked(program: string): Helper {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), { serialization: 'advanced' })
  return {
    child,
    says: <T>() =>
      new Promise<T>((resolve, reject) => {
        const onExit = (code: number | null) => reject(new Error(`${program} has ended with ${code}`))
        child.once('exit', onExit)
        child.once('message', (message) => {
          child.off('exit', onExit)
          resolve(message as T)
        })
      }),
    async [Symbol.asyncDispose]() {
      if ((child.exitCode ?? child.signalCode) !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

export function lookup(number: number): string {
  return `GET /v1/scores/${keyOf(number)} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`
}

/** All that Redis has; the first is another for each number. Some 6 ms of the gateway's loop. */
export function manyKeys(number: number): string {
  const keys = Array.from({ length: IN_BOTH }, (_, i) => keyOf((number + i) % IN_BOTH))
  const body = JSON.stringify({ keys })
  return `POST /v1/scores HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

/** @param post a whole request, as those below. */
export async function askOnce({ port }: World, post: string): Promise<Response> {
  const [head, body] = post.split('\r\n\r\n')
  const path = head!.split(' ')[1]!
  const headers = { 'content-type': 'application/json' }
  return await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body: body! })
}

/** @param turns of the model's loop, 1.3 to 2.3 µs each. */
export function predict(number: number, turns = 2): string {
  const body = JSON.stringify({ document: { a: number, b: turns }, key: keyOf(number) })
  return `POST /v1/predict HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}
