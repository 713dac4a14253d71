/** A poller at work on a cluster, steered and watched from outside: what it has emitted, how far it has come. */
import { connectKafka, type KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import type { Change } from '@freshet/records/change.ts'
import { type Cursor, cursorRecord } from '@freshet/records/cursor.ts'
import { topicName } from '@freshet/records/topics.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Stack } from '../stack.ts'
import { until } from '../until.ts'
import { compareWithDump, type DumpReport, readChanges } from './compare-with-dump.ts'
import type { ElasticsearchCluster } from './elasticsearch-cluster.ts'

/** A failover, a recovery and a poller that waits for both, on a loaded machine. */
const PATIENCE_MS = 120_000

export class WatchedCapture implements AsyncDisposable {
  readonly stack: Stack
  readonly #connection: KafkaConnection

  /** The index has one shard; the poller runs. @param extra environment of the services. */
  static async start(
    cluster: ElasticsearchCluster,
    { replicas = 0, extra = {} }: { replicas?: number; extra?: Readonly<Record<string, string>> } = {},
  ): Promise<WatchedCapture> {
    const stack = await Stack.open(
      { FRESHET_ELASTICSEARCH_URL: cluster.url, FRESHET_TELEMETRY_ENABLED: 'false', ...extra },
      { shards: 1, replicas },
    )
    await cluster.green()
    stack.start('poller')
    return new WatchedCapture(stack)
  }

  private constructor(stack: Stack) {
    this.stack = stack
    this.#connection = connectKafka(stack.settings.kafka, { clientId: 'test', log: quietLog })
  }

  get index(): string {
    return this.stack.index
  }

  /** Stands still in the middle of whatever it does. */
  freeze(): void {
    process.kill(this.stack.pidOf('poller'), 'SIGSTOP')
  }

  thaw(): void {
    process.kill(this.stack.pidOf('poller'), 'SIGCONT')
  }

  /** Writes one document until all copies that are there acknowledge it. @returns its sequence number */
  async write(id: string, document: object): Promise<number> {
    let seqNo: number | undefined
    await this.#until(`${id} is written`, async () => {
      const written = await this.stack.client.index({ index: this.index, id, document })
      seqNo = written._seq_no
      return true
    })
    return seqNo!
  }

  async remove(id: string): Promise<void> {
    await this.#until(`${id} is deleted`, async () => {
      await this.stack.client.delete({ index: this.index, id }, { ignore: [404] })
      return true
    })
  }

  /** All changes of one document, in the order of `.changes`. */
  async emitted(id: string): Promise<Change[]> {
    const key = `${this.index}/${id}`
    const changes = await readChanges(this.#connection, this.stack.settings.pipeline)
    return changes.filter((change) => change.key.toString() === key)
  }

  /** @param isDue of the epoch under which it is emitted; any by default. */
  async untilEmitted(
    id: string,
    document: object,
    isDue: (epoch: number) => boolean = () => true,
  ): Promise<Change> {
    const text = JSON.stringify(document)
    let found: Change | undefined
    await this.#until(`${text} is emitted`, async () => {
      found = (await this.emitted(id)).findLast(
        ({ source, revision }) => source?.toString() === text && isDue(revision.epoch),
      )
      return found !== undefined
    })
    return found!
  }

  /** Of the one shard, as last stored; undefined before the first. */
  async cursor(): Promise<Cursor | undefined> {
    let cursor: Cursor | undefined
    await readAll(this.#connection, topicName(this.stack.settings.pipeline, 'cursors'), {
      deadlineMs: 30_000,
      signal: AbortSignal.timeout(30_000),
      onMessage: (_, { value }) => {
        if (value !== null) cursor = cursorRecord.decode(value) // a mark of a poller that has come says nothing
      },
    })
    return cursor
  }

  async untilCursor(fact: string, holds: (cursor: Cursor) => boolean): Promise<Cursor> {
    let cursor: Cursor | undefined
    await this.#until(fact, async () => {
      cursor = await this.cursor()
      return cursor !== undefined && holds(cursor)
    })
    return cursor!
  }

  /** Waits until the last change of the document is a delete. */
  async untilBuried(id: string): Promise<void> {
    await this.#until(`the delete of ${id} is emitted`, async () => {
      return (await this.emitted(id)).at(-1)?.source === null
    })
  }

  /**
   * Waits until a sweep has found all deletes, and nothing is left to read. It writes `tick`, since the sweep is
   * remembered with the next advance of the cursor.
   */
  async untilSwept(): Promise<void> {
    let seqNo = 0
    await this.#until('a sweep is over', async () => {
      seqNo = await this.write('tick', { seqNo })
      return (await this.cursor())?.sweep != null
    })
    await this.untilCursor('all is captured', (cursor) => cursor.seqNo >= seqNo)
  }

  /** Waits until the current version of every live document was emitted. */
  async untilComplete(): Promise<DumpReport> {
    const { client, settings } = this.stack
    let report: DumpReport | undefined
    await this.#until('every live document was emitted', async () => {
      report = await compareWithDump(this.#connection, settings.pipeline, client, this.index)
      return report.missed.length === 0
    })
    return report!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack[Symbol.asyncDispose]()
  }

  #until(fact: string, ask: () => Promise<boolean>): Promise<void> {
    const explain = () => JSON.stringify(this.stack.output, null, 2)
    return until(fact, ask, { giveUpMs: PATIENCE_MS, explain })
  }
}
