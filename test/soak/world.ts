import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Pulse } from '@freshet/demo/pulse.ts'
import { filesOf, readManifest } from '@freshet/snapshot/manifest.ts'
import { groupMembers } from '@freshet/up/process-identity.ts'
import { Redis } from 'ioredis'
import { type ServiceName, Stack } from '../stack.ts'
import type { TestServers } from '../start-servers.ts'
import { FreshnessSamples } from './freshness.ts'
import { S3Door } from './s3-door.ts'

const SERVICES: readonly ServiceName[] = ['poller', 'scorer', 'gateway', 'watchdog']

/** As an operator would have it who changes nothing: the stack of the tests is in more of a hurry. */
const DEFAULTS = {
  FRESHET_KAFKA_PARTITIONS: '8',
  FRESHET_SNAPSHOT_INTERVAL_SECONDS: '60',
  FRESHET_SNAPSHOT_FOLLOW_SECONDS: '5',
}

/** A whole pipeline, each service a process with an S3 door of its own, and those who watch it. */
export class SoakWorld implements AsyncDisposable {
  readonly stack: Stack
  readonly samples: FreshnessSamples
  readonly pulse: Pulse
  readonly doors: ReadonlyMap<ServiceName, S3Door>
  readonly redis: Redis
  readonly servers: TestServers['processes']
  readonly #disposing: AsyncDisposableStack

  static async open(servers: TestServers): Promise<SoakWorld> {
    await using opened = new AsyncDisposableStack()
    const stack = opened.use(await Stack.open(DEFAULTS))
    const { settings } = stack
    const doors = new Map<ServiceName, S3Door>()
    for (const name of SERVICES) {
      const door = opened.use(await S3Door.open(settings.s3.endpoint!))
      doors.set(name, door)
      stack.envOf[name] = { FRESHET_S3_ENDPOINT: door.url }
    }
    const redis = new Redis(settings.redis.url)
    opened.defer(() => redis.disconnect())
    const samples = opened.use(new FreshnessSamples({ url: settings.redis.url, pipeline: settings.pipeline }))
    const pulse = opened.use(new Pulse(settings))
    stack.start(...SERVICES)
    await stack.gatewayReady()
    const parts = { stack, samples, pulse, doors, redis, servers: servers.processes }
    return new SoakWorld(parts, opened.move())
  }

  private constructor(
    parts: Pick<SoakWorld, 'stack' | 'samples' | 'pulse' | 'doors' | 'redis' | 'servers'>,
    disposing: AsyncDisposableStack,
  ) {
    this.stack = parts.stack
    this.samples = parts.samples
    this.pulse = parts.pulse
    this.doors = parts.doors
    this.redis = parts.redis
    this.servers = parts.servers
    this.#disposing = disposing
  }

  /** Numbers of all processes, by what they are; `soak` is the one that writes and watches. */
  get pids(): ReadonlyMap<string, readonly number[]> {
    return new Map([
      ...SERVICES.map((name) => [name, [this.stack.pidOf(name)]] as const),
      ...this.servers.map((server) => [server.name, groupMembers(server)] as const),
      ['soak', [process.pid]] as const,
    ])
  }

  /** What the services leave on disk, by server; without what is not ours to measure. */
  diskBytes(): Record<string, number> {
    return Object.fromEntries(this.servers.map(({ name, dataDir }) => [name, bytesBelow(dataDir)]))
  }

  async snapshot() {
    const { store, settings } = this.stack
    const manifest = (await readManifest(store, settings.pipeline))?.manifest
    const files = Object.values(manifest?.partitions ?? {}).flatMap(filesOf)
    return {
      rows: files.reduce((sum, { rows }) => sum + rows, 0),
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      files: files.length,
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposing.disposeAsync()
  }
}

function bytesBelow(folder: string): number {
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    // A file may go between the list and the look.
    bytes += (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.blocks ?? 0) * 512
  }
  return bytes
}
