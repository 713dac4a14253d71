import { once } from 'node:events'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import { type FollowerParts, type FollowStatus, SnapshotFollower } from '@freshet/snapshot/follow.ts'
import { promptReads, sharedPatience } from '@freshet/snapshot/prompt-reads.ts'
import { RangeReads } from '@freshet/snapshot/ranges/range-reads.ts'
import { Breaker } from '@freshet/stage/breaker.ts'
import type { Metrics } from '@freshet/telemetry/metrics.ts'
import { type Said, unheard } from '../ladder/said.ts'
import type { SnapshotRung } from '../ladder/snapshot-rung.ts'
import type { Deadline } from '../server/deadline.ts'
import type { LoopWatch } from '../server/loop-watch.ts'
import { ChosenSnapshot } from './chosen-snapshot.ts'
import { RangeRung } from './range-rung.ts'
import { readingFromS3 } from './reading-from-s3.ts'

export interface SnapshotParts extends Pick<FollowerParts, 'clock' | 'log' | 'onLook'> {
  readonly loop: Pick<LoopWatch, 'isBehind'>
  readonly metrics: Pick<Metrics, 'set' | 'add'>
  /** The store is this one: large files are read from it in a thread. */
  readonly s3?: Settings['s3']
}

/** So many failures in a row cut S3 off; then one lookup a second tries it. */
const BREAKER = { misses: 10, restMs: 1_000 }

/** The snapshot, and the follower that keeps it fresh, as one rung. */
export class FollowedSnapshot implements SnapshotRung, Disposable {
  readonly #isOff: boolean
  readonly #parts: SnapshotParts
  readonly #reads: RangeReads
  readonly #held: ChosenSnapshot
  readonly #follower: SnapshotFollower
  readonly #rung: RangeRung

  constructor(
    store: ObjectStore,
    settings: Pick<Settings, 'pipeline' | 'snapshot' | 'gateway' | 'kafka' | 'elasticsearch'>,
    parts: SnapshotParts,
  ) {
    const { pipeline, snapshot, gateway, kafka, elasticsearch } = settings
    this.#isOff = gateway.snapshot.mode === 'off'
    this.#parts = parts
    this.#reads = new RangeReads(store)
    const patience = sharedPatience()
    const prompt = promptReads(store, parts.clock, patience)
    this.#held = new ChosenSnapshot(gateway.snapshot.mode, {
      store: prompt,
      program: parts.s3 && readingFromS3(parts.s3, patience),
      reads: this.#reads,
      memoryBytes: gateway.snapshot.memoryMiB * 2 ** 20,
      hasVersions: elasticsearch.versionField !== undefined,
      tombstoneTtlMs: snapshot.tombstoneTtlSeconds * 1_000,
      partitions: kafka.partitions,
      partitionOf,
      log: parts.log,
    })
    this.#rung = new RangeRung({
      breaker: new Breaker(BREAKER),
      loop: parts.loop,
      onLookup: (outcome) => parts.metrics.add('freshet.gateway.snapshot.lookups', 1, outcome),
    })
    this.#follower = new SnapshotFollower({
      store: prompt,
      pipeline,
      holder: this.#held,
      everyMs: snapshot.followSeconds * 1_000,
      clock: parts.clock,
      log: parts.log,
      onLook: (fault) => {
        this.#tell()
        parts.onLook?.(fault)
      },
    })
  }

  /** Also when it is off: what is not asked cannot have the key. */
  get ready(): boolean {
    return this.#isOff || this.#follower.status.loadedAtMs > 0
  }

  get state(): FollowStatus['state'] | 'off' {
    return this.#isOff ? 'off' : this.#follower.status.state
  }

  get(key: string): StoredScore | undefined {
    return this.#held.get(key)
  }

  ask(key: string, deadline: Deadline): Promise<Said> | undefined {
    const { ranged } = this.#held
    const said = ranged && this.#rung.ask(ranged, key, deadline)
    return this.ready ? said : said?.then(orLoading)
  }

  /** Follows until `signal` aborts. @throws CONFIG_INVALID when the snapshot is another pipeline's */
  async run(signal: AbortSignal): Promise<void> {
    if (!this.#isOff) return await this.#follower.run(signal)
    if (!signal.aborted) await once(signal, 'abort')
  }

  [Symbol.dispose](): void {
    this.#reads[Symbol.dispose]()
  }

  /** What heartbeats and /metrics say of it. */
  #tell(): void {
    const { clock, metrics } = this.#parts
    const { sequence, seenSequence, writtenAtMs, loadedAtMs } = this.#follower.status
    const nowMs = clock.nowMs()
    metrics.set('freshet.gateway.snapshot.sequence', sequence)
    metrics.set('freshet.gateway.snapshot.behind', Math.max(0, seenSequence - sequence))
    metrics.set('freshet.gateway.snapshot.age', writtenAtMs === 0 ? 0 : (nowMs - writtenAtMs) / 1_000)
    metrics.set('freshet.gateway.snapshot.unseen', loadedAtMs === 0 ? 0 : (nowMs - loadedAtMs) / 1_000)
    metrics.set('freshet.gateway.snapshot.keys', this.#held.keys)
    metrics.set('freshet.gateway.snapshot.memory', this.#held.bytes)
  }
}

/** Before a whole snapshot is there, a file that could not be read yet may have the key. */
function orLoading(said: Said): Said {
  return said.kind === 'has nothing' ? unheard('snapshot_loading') : said
}
