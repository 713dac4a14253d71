import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import { toBatch } from '../batch.ts'
import { type KafkaConnection, RETRY } from '../connect.ts'
import { toKafkaError } from '../kafka-error.ts'
import kafkajs, { type Consumer, type EachBatchPayload } from '../kafkajs/kafkajs.ts'
import { quit } from '../kafkajs/quit.ts'
import { GapTeller } from './gap-teller.ts'
import type { GroupConsumerOptions, Handle } from './group-options.ts'
import { grantLease, type Valve } from './lease.ts'
import { type Member, Membership } from './membership.ts'
import { seekToStart } from './seek-to-start.ts'
import { StallWatch, type WorkInHand } from './stall-watch.ts'

/**
 * One consumer of kafkajs, from its making until it crashes, stalls or is stopped. It never mends itself: its owner
 * makes a new one. What a handler of an old one still does, it does without a lease.
 */
export class ConsumerLife {
  /** Batches that its handler finished. */
  delivered = 0
  readonly #connection: KafkaConnection
  readonly #options: GroupConsumerOptions
  readonly #handle: Handle
  readonly #consumer: Consumer
  readonly #watch: StallWatch
  readonly #gaps: GapTeller
  readonly #failed = Promise.withResolvers<never>()
  readonly #closing = new AbortController()
  readonly #ended = new AbortController()
  #membership: Membership | undefined

  constructor(connection: KafkaConnection, options: GroupConsumerOptions, handle: Handle) {
    this.#connection = connection
    this.#options = options
    this.#handle = handle
    this.#watch = new StallWatch({ stallMs: options.stallMs, joinMs: JOIN_MS }, this.#nowMs())
    this.#gaps = new GapTeller(connection, options)
    this.#consumer = connection.newClient({ over: this.#ended.signal }).consumer({
      groupId: options.groupId,
      sessionTimeout: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_INTERVAL_MS,
      maxWaitTimeInMs: options.maxWaitMs ?? 500,
      minBytes: options.minFetchBytes ?? 1,
      maxBytesPerPartition: Math.min(MAX_PARTITION_FETCH_BYTES, options.maxFetchBytes ?? MAX_FETCH_BYTES),
      maxBytes: options.maxFetchBytes ?? MAX_FETCH_BYTES,
      allowAutoTopicCreation: false,
      // One who restarts: our owner. kafkajs would not restart after a TypeError anyway.
      retry: { ...RETRY, restartOnFailure: async () => false },
    })
    this.#failed.promise.catch(() => {}) // told by run(); it may fail before run() listens
    this.#listen()
  }

  /** Consumes until `signal` aborts; then finishes and commits what is in hand. Rejects when it crashes or stalls. */
  async run(signal: AbortSignal): Promise<void> {
    const stopped = Promise.withResolvers<void>()
    const onAbort = () => stopped.resolve()
    signal.addEventListener('abort', onAbort)
    try {
      if (signal.aborted) return
      void this.#start().catch((error: unknown) => this.#fail(error))
      void this.#every(HEARTBEAT_INTERVAL_MS, async () => {
        if (this.#watch.inHand > 0) await this.#membership?.beat()
      })
      void this.#every(COMMIT_INTERVAL_MS, async () => this.#membership?.flush())
      void this.#every(STALL_CHECK_MS, async () => this.#checkStall())
      await Promise.race([stopped.promise, this.#failed.promise])
      await this.#finishInHand()
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#closing.abort()
      this.#membership?.end(staleMember())
      this.#ended.abort()
      await quit(this.#consumer, 3_000)
    }
  }

  async #start(): Promise<void> {
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topic: this.#options.topic, fromBeginning: true })
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: this.#options.concurrency ?? 1,
      eachBatch: (payload) => this.#take(payload),
    })
  }

  #listen(): void {
    const { events } = this.#consumer
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) =>
      this.#joined(payload.memberAssignment[this.#options.topic] ?? []),
    )
    this.#consumer.on(events.REBALANCING, () => this.#membership?.end(staleMember()))
    this.#consumer.on(events.HEARTBEAT, () => {
      this.#watch.sign(this.#nowMs())
      this.#membership?.confirmed()
    })
    this.#consumer.on(events.FETCH_START, ({ payload }) =>
      this.#watch.fetchBegins(payload.nodeId, this.#nowMs()),
    )
    this.#consumer.on(events.FETCH, ({ payload }) => this.#watch.fetchEnds(payload.nodeId, this.#nowMs()))
    this.#consumer.on(events.CRASH, ({ payload }) => this.#fail(payload.error))
  }

  #joined(partitions: readonly number[]): void {
    if (this.#ended.signal.aborted) return
    this.#membership?.end(staleMember())
    this.#watch.joined(this.#nowMs())
    // Not one fetch before the start is known: where the position fell out of the log, kafkajs would commit another.
    this.#consumer.pause([{ topic: this.#options.topic, partitions: [...partitions] }])
    const start = (membership: Membership) =>
      seekToStart(this.#connection, this.#consumer, this.#options, membership)
    this.#membership = new Membership(partitions, start, {
      clock: this.#options.clock,
      log: this.#options.log,
      sessionTimeoutMs: this.#options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
      onEnd: (revoked) => this.#revoked(revoked),
      onCommit: this.#options.onCommit,
    })
    this.#membership.ready.catch((error: unknown) => this.#fail(error))
  }

  #revoked(partitions: readonly number[]): void {
    this.#watch.joins(this.#nowMs())
    try {
      if (partitions.length > 0) this.#options.onRevoked?.(partitions)
    } catch (error) {
      this.#options.log.error('onRevoked failed', error) // must not get into kafkajs's event loop
    }
  }

  /** A batch from kafkajs. What this throws makes kafkajs join again, fetch again, or crash. */
  async #take(payload: EachBatchPayload): Promise<void> {
    const membership = this.#membership
    if (!membership || this.#closing.signal.aborted) throw staleMember()
    const { partition } = payload.batch
    membership.speakThrough(memberOf(payload))
    const work = this.#watch.workBegins(this.#nowMs())
    try {
      await membership.ready
      work.lastSignMs = this.#nowMs()
      if (payload.isStale()) return // fetched before a seek
      const expected = membership.positions.get(partition) ?? 0
      const gap = { expected, found: Number(payload.batch.firstOffset()) }
      this.#checkBackward(partition, gap)
      await this.#gaps.look(partition, gap, membership.signal)
      await this.#deliver(payload, partition, membership, work)
      await membership.throwReason()
      const rest = membership.rests.get(partition)
      membership.rests.delete(partition)
      const last = rest === undefined ? payload.batch.lastOffset() : `${rest - 1}`
      payload.resolveOffset(last)
      membership.positions.set(partition, Number(last) + 1)
      this.delivered++
    } finally {
      this.#watch.workEnds(work, this.#nowMs())
    }
  }

  /** Where the position fell out of the log, kafkajs begins anew without an event; who wants to know is told by a new membership. */
  #checkBackward(partition: number, { expected, found }: { expected: number; found: number }): void {
    if (found >= expected || this.#options.onOutside === undefined) return
    const { topic } = this.#options
    this.#fail(
      new FreshetError('KAFKA_STALLED', `${topic}[${partition}] goes back from ${expected} to ${found}`),
    )
    throw staleMember()
  }

  /** Hands the batch over until the handler is content, the membership ends, or the error is one that ends all. */
  async #deliver(
    payload: EachBatchPayload,
    partition: number,
    membership: Membership,
    work: WorkInHand,
  ): Promise<void> {
    const batch = toBatch(payload.batch)
    const lease = grantLease(partition, membership, {
      work,
      clock: this.#options.clock,
      valve: this.#valveOf(partition),
    })
    for (let attempt = 0; ; attempt++) {
      await membership.throwReason()
      try {
        return await this.#handle(batch, lease)
      } catch (error) {
        await membership.throwReason()
        this.#judge(error, `${batch.topic}[${partition}] from ${batch.messages[0]!.offset}`)
      }
      const pause = AbortSignal.any([membership.signal, this.#closing.signal])
      await this.#options.clock.sleep(delayMs(BACK_OFF, attempt, Math.random), pause)
      work.lastSignMs = this.#nowMs()
      await membership.beat() // after a long sleep of the process: are we still a member?
      if (this.#closing.signal.aborted) throw staleMember()
    }
  }

  #valveOf(partition: number): Valve {
    const which = [{ topic: this.#options.topic, partitions: [partition] }]
    return { pause: () => this.#consumer.pause(which), resume: () => this.#consumer.resume(which) }
  }

  /** @throws what is not to be tried again in place */
  #judge(error: unknown, where: string): void {
    const known = toFreshetError(error)
    if (known.code === 'BUG') {
      this.#options.log.error(`the handler of ${where} failed; the batch is delivered again`, error)
      throw error
    }
    if (!known.retryable) {
      this.#fail(known)
      throw known
    }
    this.#options.log.warn(`${known.message}: ${where} is delivered again`, {
      [ATTRIBUTES.errorType]: known.code,
    })
  }

  async #finishInHand(): Promise<void> {
    this.#closing.abort()
    const { clock, log, groupId } = this.#options
    const endMs = this.#nowMs() + FINISH_MS
    while (this.#watch.inHand > 0 && this.#nowMs() < endMs) await clock.sleep(10)
    if (this.#watch.inHand > 0)
      log.warn(
        `${groupId} stops with ${this.#watch.inHand} batches not finished; they will be delivered again`,
      )
    await this.#membership?.flush()
  }

  #checkStall(): void {
    const stalled = this.#watch.stalled(this.#nowMs())
    if (stalled)
      this.#fail(
        new FreshetError('KAFKA_STALLED', `the consumer of ${this.#options.topic} stalls: ${stalled}`),
      )
  }

  async #every(intervalMs: number, work: () => Promise<void>): Promise<void> {
    while (!this.#ended.signal.aborted) {
      await this.#options.clock.sleep(intervalMs, this.#ended.signal)
      if (!this.#ended.signal.aborted) await work()
    }
  }

  #fail(error: unknown): void {
    this.#failed.reject(toKafkaError(error, `consuming ${this.#options.topic}`))
  }

  #nowMs(): number {
    return this.#options.clock.nowMs()
  }
}

function memberOf({ batch: { topic }, heartbeat, commitOffsetsIfNecessary }: EachBatchPayload): Member {
  return {
    heartbeat,
    // Not consumer.commitOffsets: that one tries again across a rebalance, under a generation that is not ours.
    commit(offsets) {
      const partitions = [...offsets].map(([partition, { nextOffset, note }]) => ({
        partition,
        offset: `${nextOffset}`,
        ...(note !== '' && { metadata: note }),
      }))
      return commitOffsetsIfNecessary({ topics: [{ topic, partitions }] })
    },
  }
}

/** An error that kafkajs does not log as ours, and after which it fetches again. */
function staleMember(): Error {
  return new kafkajs.KafkaJSError('this membership is over')
}

const SESSION_TIMEOUT_MS = 10_000
const REBALANCE_TIMEOUT_MS = 15_000
const HEARTBEAT_INTERVAL_MS = 1_000
const COMMIT_INTERVAL_MS = 1_000
const MAX_FETCH_BYTES = 4 * 1024 * 1024
const MAX_PARTITION_FETCH_BYTES = 1024 * 1024
const STALL_CHECK_MS = 500
/** A join waits for the slowest member, then for one answer. */
const JOIN_MS = REBALANCE_TIMEOUT_MS + 10_000
const FINISH_MS = 10_000
const BACK_OFF = { firstMs: 200, maxMs: 10_000 }
