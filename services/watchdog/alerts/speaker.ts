/** Of several watchdogs one speaks: the one to which a consumer group leaves the only partition of `.control`. */
import { randomUUID } from 'node:crypto'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { GroupConsumer, type Lease } from '@freshet/adapters/kafka/consumer.ts'
import { speakerGroup, topicName } from '@freshet/records/topics.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import type { AlertStore } from './alert-store.ts'
import type { ControlView } from './control-view.ts'

/**
 * `speaks`: it is its turn. `listens`: another one speaks. `waits`: nobody is known to, because Kafka is away or the group
 * is about to decide; whoever waits may tell people that Kafka is away, since nobody can be elected meanwhile.
 */
export type Role = 'speaks' | 'listens' | 'waits'

/** Whether it is this watchdog's turn. */
export class Speaker {
  readonly #instance: string
  readonly #view: Pick<ControlView, 'speaker' | 'hasHeard'>
  #claim: string | null = null
  #lease: Pick<Lease, 'check'> | null = null
  /** Counts the times that it was elected. */
  #elections = 0

  constructor(instance: string, view: Pick<ControlView, 'speaker' | 'hasHeard'>) {
    this.#instance = instance
    this.#view = view
  }

  /** The group has given it the partition; it is elected once it has heard its own claim. @returns the claim */
  assigned(): string {
    this.#claim = randomUUID()
    this.#lease = null
    return this.#claim
  }

  /** @param lease on the partition from which its claim has come, or has come before */
  heard(lease: Pick<Lease, 'check'>): void {
    if (this.#claim === null || this.#lease !== null || !this.#view.hasHeard(this.#claim)) return
    this.#lease = lease
    this.#elections++
  }

  /** @returns whether it was the speaker */
  revoked(): boolean {
    const spoke = this.#lease !== null
    this.#claim = null
    this.#lease = null
    return spoke
  }

  get elections(): number {
    return this.#elections
  }

  /** Asked before each word and each write: a process that slept learns here that its time is over. */
  role(): Role {
    if (this.#holds()) return 'speaks'
    const speaker = this.#view.speaker()
    return speaker === undefined || speaker === this.#instance ? 'waits' : 'listens'
  }

  #holds(): boolean {
    try {
      this.#lease?.check()
      return this.#lease !== null
    } catch {
      return false // KAFKA_STALE
    }
  }
}

export interface StandOptions {
  readonly connection: KafkaConnection
  readonly pipeline: string
  readonly instance: string
  readonly speaker: Speaker
  readonly view: ControlView
  readonly store: Pick<AlertStore, 'claim'>
  readonly clock: Clock
  readonly log: Log
}

/** Stands for election until `signal` aborts, whatever comes: a watchdog that gives up watches nothing. */
export async function standForSpeaker(options: StandOptions, signal: AbortSignal): Promise<void> {
  const { speaker, clock, log } = options
  while (!signal.aborted) {
    try {
      await standOnce(options, signal)
    } catch (error) {
      log.error('this watchdog cannot stand for election; it tries again', error)
    }
    speaker.revoked()
    await clock.sleep(STAND_AGAIN_MS, signal)
  }
}

/**
 * Whoever is given the partition writes a claim and reads on in `.control` until it finds it: then it knows all that its
 * predecessor wrote.
 * @throws errors that a retry cannot help
 */
async function standOnce(options: StandOptions, signal: AbortSignal): Promise<void> {
  const { connection, pipeline, instance, speaker, view, store, clock, log } = options
  const consumer = new GroupConsumer(connection, {
    groupId: speakerGroup(pipeline),
    topic: topicName(pipeline, 'control'),
    stallMs: STALL_MS,
    maxWaitMs: MAX_WAIT_MS,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    log,
    clock,
    async onAssigned(partitions) {
      const { nextOffset } = view // before the claim is written, which it has to find
      await store.claim({ version: 1, instance, claim: speaker.assigned(), atMs: clock.nowMs() }, signal)
      return new Map(partitions.map((partition) => [partition, nextOffset]))
    },
    onOutside: (_partition, { high }) => view.logEndsAt(high),
    onRevoked() {
      if (speaker.revoked() && !signal.aborted) log.info('another watchdog may speak now')
    },
  })
  await consumer.run(async ({ messages }, lease) => {
    for (const message of messages) view.hear(message)
    const before = speaker.elections
    speaker.heard(lease)
    if (speaker.elections > before) log.info('this watchdog speaks for the pipeline')
  }, signal)
}

const STAND_AGAIN_MS = 10_000
/** Longer than the claim may take. */
const STALL_MS = 30_000
const MAX_WAIT_MS = 2_000
/** The least that brokers allow: nobody speaks for so long after a speaker has died. */
const SESSION_TIMEOUT_MS = 6_000
