/**
 * A pipeline as a watchdog sees it, in simulated time: load that comes and goes, consumers that pause, heartbeats that are
 * late, servers that stutter, deployments. And what is seen of it when a part of it breaks. The same seed gives the same.
 */
import type { Facts, Fault, InstanceFacts } from '@freshet/records/facts.ts'
import { facts, group, instance, partition, shard } from '../rules/facts.kit.ts'
import { LOOK_MS } from './story.kit.ts'

/** What may break, each from one moment to another. */
export type FaultName =
  | 'scorer dies'
  | 'poller freezes'
  | 'infer is held back'
  | 'infer is too slow'
  | 'Kafka is away'
  | 'Redis is away'
  | 'Elasticsearch is away'
  | 'a document is broken'
  | 'the model is broken'
  | 'the snapshot is not written'

export interface PlannedFault {
  readonly name: FaultName
  readonly fromMs: number
  readonly untilMs: number
}

const PARTITIONS = 2
const SNAPSHOT_MS = 60_000
const START_MS = 10_000_000
const GROUPS = ['infer', 'cache', 'snapshot'] as const

interface Reader {
  /** Waits before it reads on, as long as something takes its time. */
  pausedUntilMs: number
  /** What it has done, by the time at which it was written. */
  doneUntilMs: number
  standsSinceMs: number
}

export class SimulatedPipeline {
  nowMs = START_MS
  readonly #chance: () => number
  readonly #fault: PlannedFault | null
  readonly #readers = new Map<string, Reader>(
    GROUPS.map((worker) => [worker, { pausedUntilMs: 0, doneUntilMs: START_MS, standsSinceMs: START_MS }]),
  )
  readonly #faultsSince = new Map<string, number>()
  #offset = 1_000
  /** Of the topics, oldest first. */
  readonly #ends = [{ atMs: START_MS, offset: 1_000 }]
  #rate = 500
  #writtenAtMs = START_MS
  #sequence = 7
  #scorers = 1
  #restartsAtMs: number
  #answersSinceMs = 0

  constructor(chance: () => number, fault: PlannedFault | null = null) {
    this.#chance = chance
    this.#fault = fault
    this.#restartsAtMs = START_MS + this.#between(10, 50) * 60_000
  }

  /** The next look, five seconds later. */
  look(): Facts {
    this.nowMs += LOOK_MS
    if (this.#is('Kafka is away')) return this.#withoutKafka()
    if (this.#answersSinceMs === 0) this.#answersSinceMs = this.nowMs
    this.#load()
    for (const worker of GROUPS) this.#read(worker)
    this.#snapshot()
    const redis = this.#faultOf('redis', 'Redis is away', 'REDIS_UNREACHABLE: no answer')
    const elasticsearch = this.#faultOf(
      'elasticsearch',
      'Elasticsearch is away',
      'ELASTICSEARCH_UNREACHABLE: none',
    )
    const calm = facts()
    return facts({
      atMs: this.nowMs,
      kafka: { answersSinceMs: this.#answersSinceMs === START_MS ? 0 : this.#answersSinceMs, fault: null },
      groups: GROUPS.map((worker) => this.#groupOf(worker)),
      instances: this.#instances(redis, elasticsearch),
      capture: { seenAtMs: this.nowMs, value: this.#capture(elasticsearch), fault: elasticsearch },
      snapshot: {
        ...calm.snapshot,
        seenAtMs: this.nowMs,
        value: {
          ...calm.snapshot.value!,
          sequence: this.#sequence,
          writtenAtMs: this.#writtenAtMs,
          partitions: this.#each((at) => ({
            partition: at,
            nextOffset: this.#committed('snapshot'),
            deltas: 1,
            writtenAtMs: this.#writtenAtMs,
          })),
        },
      },
      redis: { seenAtMs: this.nowMs, value: {}, fault: redis },
    })
  }

  #is(name: FaultName): boolean {
    const fault = this.#fault
    return (
      fault?.name === name && this.nowMs >= START_MS + fault.fromMs && this.nowMs < START_MS + fault.untilMs
    )
  }

  #between(least: number, most: number): number {
    return least + this.#chance() * (most - least)
  }

  #each<T>(make: (partition: number) => T): T[] {
    return Array.from({ length: PARTITIONS }, (_, at) => make(at))
  }

  /** Bursts, quiet times, and none at all for a while. */
  #load(): void {
    if (this.#chance() < 0.05) this.#rate = this.#chance() < 0.2 ? 0 : this.#between(50, 3_000)
    if (this.#fault !== null) this.#rate ||= 500 // what stands still without work is no fault
    this.#offset += Math.round((this.#rate * this.#between(0.7, 1.3) * LOOK_MS) / 1_000 / PARTITIONS)
    this.#ends.push({ atMs: this.nowMs, offset: this.#offset })
  }

  #read(worker: (typeof GROUPS)[number]): void {
    const reader = this.#readers.get(worker)!
    const stands = this.#is('scorer dies') || (worker === 'infer' && this.#is('infer is held back'))
    if (stands || (worker === 'cache' && this.#is('Redis is away'))) return
    if (worker === 'infer' && this.#is('infer is too slow')) {
      reader.doneUntilMs += LOOK_MS * 0.3
      reader.standsSinceMs = this.nowMs
      return
    }
    if (this.#chance() < 0.01) reader.pausedUntilMs = this.nowMs + this.#between(2, 18) * 1_000
    if (this.nowMs < reader.pausedUntilMs) return
    reader.doneUntilMs = Math.max(reader.doneUntilMs, this.nowMs - this.#between(50, 2_000))
    reader.standsSinceMs = this.nowMs
  }

  #snapshot(): void {
    const dueMs = this.#writtenAtMs + SNAPSHOT_MS + this.#between(0, 20_000)
    if (this.nowMs < dueMs || this.#is('the snapshot is not written') || this.#is('scorer dies')) return
    this.#writtenAtMs = this.nowMs
    this.#sequence++
  }

  #doneUntilMs(worker: (typeof GROUPS)[number]): number {
    return worker === 'snapshot' ? this.#writtenAtMs : this.#readers.get(worker)!.doneUntilMs
  }

  /** Of each partition; the end of the topic at that time. */
  #committed(worker: (typeof GROUPS)[number]): number {
    const untilMs = this.#doneUntilMs(worker)
    return this.#ends.findLast(({ atMs }) => atMs <= untilMs)?.offset ?? 0
  }

  #groupOf(worker: (typeof GROUPS)[number]): Facts['groups'][number] {
    const committedOffset = this.#committed(worker)
    const lagRecords = this.#offset - committedOffset
    const standsSinceMs = worker === 'snapshot' ? this.#writtenAtMs : this.#readers.get(worker)!.standsSinceMs
    const oldestMs = this.#ends.find(({ offset }) => offset > committedOffset)?.atMs ?? this.nowMs
    const secondsSince = (atMs: number) => (lagRecords > 0 ? Math.max(0, this.nowMs - atMs) / 1_000 : 0)
    return group(worker, {
      members: this.#is('scorer dies') ? 0 : 1,
      partitions: this.#each((at) =>
        partition({
          ...{ partition: at, committedOffset, endOffset: this.#offset, lagRecords },
          lagSeconds: secondsSince(oldestMs),
          standsSeconds: secondsSince(Math.max(oldestMs, standsSinceMs)),
        }),
      ),
    })
  }

  /** A stutter is over before the next look but one. */
  #faultOf(server: string, name: FaultName, error: string): Fault | null {
    const stutters = this.#chance() < 0.004
    if (!this.#is(name) && !stutters) {
      this.#faultsSince.delete(server)
      return null
    }
    const sinceMs = this.#faultsSince.get(server) ?? this.nowMs
    this.#faultsSince.set(server, sinceMs)
    return { sinceMs, error }
  }

  #capture(fault: Fault | null): NonNullable<Facts['capture']['value']> {
    const stands = this.#is('poller freezes')
    const behindSeconds = stands ? (this.nowMs - START_MS - this.#fault!.fromMs) / 1_000 : this.#between(0, 6)
    const shards = this.#each((at) =>
      shard({
        shard: at,
        checkpoint: this.#offset + 40,
        cursorSeqNo: this.#offset,
        behind: 40,
        behindSeconds,
      }),
    )
    if (fault !== null)
      return {
        shards: shards.map((one) => ({ ...one, behindSeconds: 0 })),
        unreadCursors: 0,
        unreadSeconds: 0,
      }
    return { shards, unreadCursors: 0, unreadSeconds: 0 }
  }

  #instances(redis: Fault | null, elasticsearch: Fault | null): InstanceFacts[] {
    return [
      this.#instance('poller-1', {
        isDead: this.#is('poller freezes'),
        failing:
          elasticsearch !== null && this.#is('Elasticsearch is away')
            ? ['capture', elasticsearch.error]
            : null,
      }),
      ...this.#scorerInstances(redis),
      this.#gateway(redis),
      this.#instance('watchdog-1'),
    ]
  }

  /** A scorer is deployed anew now and then; and after it has died. */
  #scorerInstances(redis: Fault | null): InstanceFacts[] {
    if (this.nowMs >= this.#restartsAtMs) {
      this.#scorers++
      this.#restartsAtMs = this.nowMs + this.#between(10, 50) * 60_000
    }
    const isOver = this.#fault?.name === 'scorer dies' && this.nowMs >= START_MS + this.#fault.untilMs
    const scorer = this.#instance('scorer-1', {
      isDead: this.#is('scorer dies') || isOver,
      failing: this.#is('the model is broken')
        ? ['model', 'MODEL_HASH: other bytes']
        : redis !== null && this.#is('Redis is away')
          ? ['cache', redis.error]
          : null,
      dead: this.#is('a document is broken') ? 1 : 0,
    })
    if (!isOver && this.#scorers === 1) return [scorer]
    const successor = this.#instance(`scorer-${this.#scorers + 1}`, { startedAtMs: this.nowMs - 1_000 })
    return isOver
      ? [scorer, successor]
      : [{ ...scorer, heartbeat: { ...scorer.heartbeat, status: 'stopping' } }, successor]
  }

  #gateway(redis: Fault | null): InstanceFacts {
    const answers = Math.round(this.#between(0, 20_000))
    const isDegraded = redis !== null && this.#is('Redis is away')
    const degraded = isDegraded ? answers : Math.round(answers * this.#between(0, 0.02))
    const gateway = this.#instance('gateway-1', { failing: isDegraded ? ['cache', redis.error] : null })
    const by = {
      'freshet.answers.cache': answers - degraded,
      'freshet.answers.snapshot': degraded,
      'freshet.answers.degraded': degraded,
      'freshet.answers.late': Math.round(answers * this.#between(0, 0.004)),
    }
    return { ...gateway, lastMinute: { seconds: 60, by } }
  }

  #instance(
    name: string,
    state: {
      readonly isDead?: boolean
      readonly failing?: readonly [worker: string, error: string] | null
      readonly dead?: number
      readonly startedAtMs?: number
    } = {},
  ): InstanceFacts {
    const { isDead = false, failing = null, dead = 0, startedAtMs = 0 } = state
    const lateSeconds = this.#chance() < 0.02 ? this.#between(6, 20) : this.#between(0, 4)
    const diedMs = this.#fault === null ? 0 : START_MS + this.#fault.fromMs
    const silentSeconds = isDead ? (this.nowMs - diedMs) / 1_000 : name === 'watchdog-1' ? 1 : lateSeconds
    const seen = instance(name, {
      ...{ nowMs: this.nowMs, silentSeconds, startedAtMs, model: 'delay@4' },
      ...(failing !== null && {
        status: 'failing',
        failing: [{ worker: failing[0], error: failing[1], atMs: this.nowMs }],
        lastError: failing[1],
      }),
    })
    if (dead === 0) return seen
    return { ...seen, lastFiveMinutes: { seconds: 300, by: { 'freshet.scorer.dead.value': dead } } }
  }

  #withoutKafka(): Facts {
    this.#answersSinceMs = 0
    const fault = { sinceMs: START_MS + this.#fault!.fromMs, error: 'KAFKA_UNREACHABLE: no broker answers' }
    return facts({ atMs: this.nowMs, kafka: { answersSinceMs: null, fault } })
  }
}
