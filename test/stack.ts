/** A pipeline of its own on the test servers: fresh names, real processes that a test may kill, the oracle at the end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Client } from '@elastic/elasticsearch'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { NODE_FLAGS } from '@freshet/cli/node-flags.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { ModelBundle } from '@freshet/model/bundle/bundle.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { demoBundle } from '@freshet/model/bundle/bundles.kit.ts'
import { promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import { checkConservation, isConserved, type OracleReport } from '@freshet/oracle/oracle.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { bootstrap } from '@freshet/up/bootstrap.ts'
import { PortPicker } from '@freshet/up/ports.ts'
import { until } from './until.ts'

export const PROGRAM = fileURLToPath(new URL('../services/cli/freshet.ts', import.meta.url))

export type ServiceName = 'poller' | 'scorer' | 'gateway' | 'watchdog'

/** A process of a service; the second and further ones have a number, as in `poller-2`. */
export type ProcessName = ServiceName | `${ServiceName}-${number}`

export class Stack implements AsyncDisposable {
  readonly settings: Settings
  readonly client: Client
  readonly store: ObjectStore
  readonly bundle: ModelBundle
  readonly gatewayUrl: string
  /** Of the services: settings as variables. */
  readonly env: NodeJS.ProcessEnv
  /** Over it, for single processes; as it is when one is started. */
  readonly envOf: Partial<Record<ProcessName, Readonly<Record<string, string>>>> = {}
  readonly #running = new Map<ProcessName, ChildProcess>()
  /** What each process has written, for a failing test to show. */
  readonly output: Partial<Record<ProcessName, string>> = {}

  /**
   * Topics, bucket, index and a promoted model are there; no service runs yet.
   * @param extra environment of the services, over the test's own.
   * @param options `pattern`: what is captured, made of the name of the one index that is there.
   */
  static async open(
    extra: Readonly<Record<string, string>> = {},
    { shards = 2, replicas = 0, pattern = (index: string) => index } = {},
  ): Promise<Stack> {
    const pipeline = `t${randomBytes(5).toString('hex')}`
    const gatewayPort = await new PortPicker().pick([])
    const env = {
      ...process.env,
      FRESHET_PIPELINE: pipeline,
      FRESHET_ELASTICSEARCH_INDEX: pattern(pipeline),
      FRESHET_S3_PREFIX: pipeline,
      FRESHET_KAFKA_PARTITIONS: '4',
      FRESHET_SNAPSHOT_INTERVAL_SECONDS: '1',
      FRESHET_SNAPSHOT_FOLLOW_SECONDS: '0.5',
      FRESHET_GATEWAY_PORT: String(gatewayPort),
      FRESHET_WATCHDOG_PAGE_PORT: '0',
      FRESHET_TELEMETRY_NAMESPACE: pipeline,
      FRESHET_HOME: `/nonexistent/${pipeline}`,
      ...extra,
    }
    const settings = loadSettings({ env })
    await bootstrap(settings, () => {})
    const client = connectElasticsearch(settings.elasticsearch)
    await client.indices.create({
      index: pipeline,
      settings: { number_of_shards: shards, number_of_replicas: replicas },
    })
    const bundle = await demoBundle()
    const store = openS3(settings.s3)
    await pushModel(store, bundle)
    await promoteModel(store, bundle.spec, Date.now())
    return new Stack(env, settings, client, store, bundle, `http://127.0.0.1:${gatewayPort}`)
  }

  private constructor(
    env: NodeJS.ProcessEnv,
    settings: Settings,
    client: Client,
    store: ObjectStore,
    bundle: ModelBundle,
    gatewayUrl: string,
  ) {
    this.env = env
    this.settings = settings
    this.client = client
    this.store = store
    this.bundle = bundle
    this.gatewayUrl = gatewayUrl
  }

  /** The one that was made for it. */
  get index(): string {
    return this.settings.pipeline
  }

  start(...names: readonly ProcessName[]): void {
    for (const name of names) {
      const service = name.split('-')[0]!
      const child = spawn(process.execPath, [...NODE_FLAGS, PROGRAM, 'run', service], {
        env: { ...this.env, ...this.envOf[name] },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const keep = (text: Buffer) => {
        this.output[name] = (this.output[name] ?? '') + text.toString()
      }
      child.stdout.on('data', keep)
      child.stderr.on('data', keep)
      this.#running.set(name, child)
    }
  }

  /** Number of its process. */
  pidOf(name: ProcessName): number {
    const pid = this.#running.get(name)?.pid
    if (pid === undefined) throw new Error(`${name} does not run`)
    return pid
  }

  /** It runs, and is still that one. */
  runsAs(name: ProcessName, pid: number): boolean {
    return this.#running.get(name)?.pid === pid && !this.hasEnded(name)
  }

  /** By itself, or killed from outside; to be stopped all the same before it is started again. */
  hasEnded(name: ProcessName): boolean {
    const child = this.#running.get(name)
    return child !== undefined && (child.exitCode ?? child.signalCode) !== null
  }

  /** @returns the exit code, or the signal that ended it. */
  async stop(name: ProcessName, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    const child = this.#running.get(name)
    if (child === undefined) throw new Error(`${name} does not run`)
    this.#running.delete(name)
    const ending = child.exitCode ?? child.signalCode
    if (ending !== null) return ending
    child.kill(signal)
    const [code, ended] = (await once(child, 'exit')) as [number | null, string | null]
    return code ?? ended ?? ''
  }

  /** Resolves when the gateway says that it can answer. */
  async gatewayReady(): Promise<void> {
    await until('the gateway is ready', async () => (await fetch(`${this.gatewayUrl}/readyz`)).ok)
  }

  async write(documents: Readonly<Record<string, object>>): Promise<void> {
    const operations = Object.entries(documents).flatMap(([id, document]) => [
      { index: { _id: id } },
      document,
    ])
    const { errors, items } = await this.client.bulk({ index: this.index, operations })
    if (errors) throw new Error(JSON.stringify(items.find((item) => item.index?.error)))
  }

  /** Waits until the oracle has nothing to say. @throws with its report when it goes on talking for `giveUpMs` */
  async conserved({ giveUpMs = 90_000 } = {}): Promise<OracleReport> {
    let report: OracleReport | undefined
    await until(
      'every live document has its score in Redis and in the snapshot',
      async () => {
        report = await checkConservation({
          client: this.client,
          index: this.settings.elasticsearch.index,
          pipeline: this.settings.pipeline,
          redisUrl: this.settings.redis.url,
          store: this.store,
          bundle: this.bundle,
        })
        return isConserved(report)
      },
      { giveUpMs, explain: () => JSON.stringify({ report, output: this.output }, null, 2) },
    )
    return report!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.stop(name, 'SIGKILL')))
    // A failure in here would hide that of the test, such as a server that it has killed.
    await this.client.indices.delete({ index: this.index }).catch(() => {})
    await this.client.close()
    await this.store[Symbol.asyncDispose]()
  }
}
