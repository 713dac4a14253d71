/** The loop over a real Elasticsearch; Kafka is played, so that a test decides what is acknowledged. */
import { randomBytes } from 'node:crypto'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import type { OutgoingMessage } from '@freshet/adapters/kafka/outgoing-message.ts'
import { scopeOf } from '@freshet/capture/scope.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { type Cursor, cursorRecord } from '@freshet/records/cursor.ts'
import { TOPICS } from '@freshet/records/topics.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { expect, test, vi } from 'vitest'
import { ShardTable } from '../sharing/shard-table.ts'
import { CaptureLoop } from './capture-loop.ts'
import { ChangeWriter } from './change-writer.ts'

vi.setConfig({ testTimeout: 120_000 })
const WAIT = { timeout: 60_000, interval: 50 }

interface Played {
  /** May refuse to write one. */
  readonly onCursor?: (cursor: Cursor) => void
  readonly telemetry?: Telemetry
}

/** An index of one shard, captured by a loop that holds every partition. */
async function open({ onCursor = () => {}, telemetry = quietTelemetry() }: Played) {
  const index = `t${randomBytes(6).toString('hex')}`
  const env = {
    ...process.env,
    ...{ FRESHET_PIPELINE: index, FRESHET_ELASTICSEARCH_INDEX: index },
    FRESHET_ELASTICSEARCH_POLL_INTERVAL_MS: '50',
  }
  const settings = loadSettings({ env })
  const client = connectElasticsearch(settings.elasticsearch)
  await client.indices.create({ index, settings: { number_of_shards: 1, number_of_replicas: 0 } })
  const stop = new AbortController()
  const { signal } = stop
  const scope = scopeOf(settings.elasticsearch)
  const send = async (topic: string, messages: readonly OutgoingMessage[]) => {
    if (topic.endsWith('.cursors')) for (const { value } of messages) onCursor(cursorRecord.decode(value!))
  }
  const parts = {
    ...{ settings, scope, producer: { send }, clock: systemClock },
    ...{ telemetry, report: new ServiceState() },
  }
  const writer = new ChangeWriter({ ...parts, maxMessageBytes: 1_000_000 })
  const table = new ShardTable()
  for (let partition = 0; partition < TOPICS.cursors.partitions; partition++) {
    table.assign(partition)
    table.know(partition)
  }
  const running = new CaptureLoop({ ...parts, client, writer, signal, grace: signal }, table).run()
  const outcome = running.then(
    () => undefined,
    (error: unknown) => error,
  )
  return {
    table,
    outcome,
    write: (id: string) => client.index({ index, id, document: { id } }),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await outcome
      await client.indices.delete({ index })
      await client.close()
    },
  }
}

test('a last save that failed is made good, also when nothing more is written: else the cursor is behind for ever', async () => {
  const saved: Cursor[] = []
  let refused = 0
  await using shard = await open({
    onCursor(cursor) {
      if (cursor.seqNo === 0 && refused++ === 0)
        throw new FreshetError('KAFKA_UNREACHABLE', 'no broker in this test')
      saved.push(cursor)
    },
  })
  await shard.write('a')
  await vi.waitFor(() => expect(saved.at(-1)?.seqNo).toBe(0), WAIT)
})

test('a bug ends the loop in order, with the bug as its error', async () => {
  const bug = new TypeError('of this test')
  const log = {
    ...quietLog,
    info(message: string) {
      if (message.includes('starts at the beginning')) throw bug
    },
  }
  await using shard = await open({ telemetry: quietTelemetry({ log }) })
  expect(await shard.outcome).toBe(bug)
})
