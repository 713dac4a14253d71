/** The servers of a chaos run: processes of its own that are killed and started again with their data. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { elasticsearch } from '@freshet/up/elasticsearch.ts'
import { kafka } from '@freshet/up/kafka.ts'
import { redis } from '@freshet/up/redis.ts'
import { S3_ACCESS, s3 } from '@freshet/up/s3.ts'
import type { Server } from '@freshet/up/server.ts'
import { lastingPort, NativeServer } from '../cluster/native-server.ts'
import { Doors } from './doors.ts'
import { PROCESSES, type ProcessTarget, type ServerTarget } from './targets.ts'

/** Who computes nothing for so long has done what it was told. */
const QUIET_MS = 500
/** What a JVM computes while nobody asks it anything. */
const IDLE_CPU_MICROS = 20_000
const QUIET_WITHIN_MS = 15_000

export class ChaosServers implements AsyncDisposable {
  readonly doors: Doors
  readonly #servers: Readonly<Record<ServerTarget, NativeServer>>
  readonly #opened: AsyncDisposableStack

  /** Resolves when all answer. */
  static async start(seed: number): Promise<ChaosServers> {
    await using opened = new AsyncDisposableStack()
    const start = async (server: Server) => opened.use(await NativeServer.start(server))
    const [index, cache, store] = await Promise.all([elasticsearch, redis, s3].map(start))
    const ofKafka = Object.fromEntries(PROCESSES.map((process) => [process, lastingPort()]))
    const ports = { elasticsearch: index!.port!, redis: cache!.port!, s3: store!.port! }
    const doors = opened.use(
      await Doors.open((process, server) => (server === 'kafka' ? ofKafka[process]! : ports[server]), seed),
    )
    const listeners = PROCESSES.map((process) => ({
      process,
      port: ofKafka[process]!,
      doorPort: doors.portOf(process, 'kafka'),
    }))
    const broker = await start(behindDoors(listeners))
    const servers = { kafka: broker, elasticsearch: index!, redis: cache!, s3: store! }
    return new ChaosServers(servers, doors, opened.move())
  }

  private constructor(
    servers: Readonly<Record<ServerTarget, NativeServer>>,
    doors: Doors,
    opened: AsyncDisposableStack,
  ) {
    this.#servers = servers
    this.doors = doors
    this.#opened = opened
  }

  of(server: ServerTarget): NativeServer {
    return this.#servers[server]
  }

  /** Addresses past all doors. */
  get direct(): Record<string, string> {
    return addresses((server) => this.#servers[server].port!)
  }

  /** Addresses as one process is to know them. */
  behindDoorsOf(process: ProcessTarget): Record<string, string> {
    return addresses((server) => this.doors.portOf(process, server))
  }

  /**
   * S3Mock rewrites its list of objects in place, so that it is lost when it is killed in a write, as in no S3: it is cut
   * off from everybody, which none of them can tell from its death, and dies when it has done what it was told.
   */
  async takeAway(server: ServerTarget, how: 'kill' | 'stop'): Promise<void> {
    if (server === 's3') {
      await this.doors.slam(server)
      await untilIdle(this.#servers.s3)
    }
    await this.#servers[server][how]()
  }

  async bringBack(server: ServerTarget): Promise<void> {
    await this.#servers[server].restart()
    if (server === 's3') await this.doors.admit(server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync()
  }
}

async function untilIdle(server: NativeServer): Promise<void> {
  const giveUpAtMs = performance.now() + QUIET_WITHIN_MS
  for (let before = Number.NEGATIVE_INFINITY; performance.now() < giveUpAtMs; await sleep(QUIET_MS)) {
    const now = server.cpuMicros()
    if (now - before <= IDLE_CPU_MICROS) return
    before = now
  }
}

function addresses(portOf: (server: ServerTarget) => number): Record<string, string> {
  return {
    FRESHET_KAFKA_BROKERS: `127.0.0.1:${portOf('kafka')}`,
    FRESHET_ELASTICSEARCH_URL: `http://127.0.0.1:${portOf('elasticsearch')}`,
    FRESHET_REDIS_URL: `redis://127.0.0.1:${portOf('redis')}`,
    FRESHET_S3_ENDPOINT: `http://127.0.0.1:${portOf('s3')}`,
    FRESHET_S3_ACCESS_KEY_ID: S3_ACCESS.accessKeyId,
    FRESHET_S3_SECRET_ACCESS_KEY: S3_ACCESS.secretAccessKey,
  }
}

interface Listener {
  readonly process: ProcessTarget
  readonly port: number
  readonly doorPort: number
}

/** To who comes through a door, Kafka says that it is to be found at the door. */
function behindDoors(listeners: readonly Listener[]): Server {
  return {
    ...kafka,
    async prepare(site) {
      const launch = await kafka.prepare(site)
      const file = join(site.dataDir, 'server.properties')
      writeFileSync(file, withListeners(readFileSync(file, 'utf8'), listeners))
      return launch
    },
  }
}

function withListeners(properties: string, listeners: readonly Listener[]): string {
  const nameOf = ({ process }: Listener) => process.toUpperCase().replace('-', '')
  const list = (portOf: (listener: Listener) => number) =>
    listeners.map((one) => `,${nameOf(one)}://127.0.0.1:${portOf(one)}`).join('')
  const protocols = ['PLAINTEXT', 'CONTROLLER', ...listeners.map(nameOf)].map((name) => `${name}:PLAINTEXT`)
  return `${properties
    .replace(/^listeners=.*$/m, (line) => line + list(({ port }) => port))
    .replace(/^advertised\.listeners=.*$/m, (line) => line + list(({ doorPort }) => doorPort))}
listener.security.protocol.map=${protocols.join(',')}
inter.broker.listener.name=PLAINTEXT
`
}
