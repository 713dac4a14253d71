import { type Client, errors } from '@elastic/elasticsearch'
import { scopeOf } from '@freshet/capture/scope.ts'
import { settingsSchema } from '@freshet/config/schema.ts'
import { cursorKey } from '@freshet/records/cursor.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { expect, test } from 'vitest'
import type { ChangeWriter } from '../capture/change-writer.ts'
import type { CaptureWorld } from '../capture/world.ts'
import { cursorPartition } from '../sharing/cursor-partition.ts'
import { openCapture } from './open-capture.ts'
import { TimestampTable } from './timestamp-table.ts'

const settings = settingsSchema.parse({ elasticsearch: { timestampField: 'at' } })
const index = { key: cursorKey('u', 0), name: 'flights', uuid: 'u', shards: 1 }

/** @param answer to who asks for the state of the cluster */
async function begin(answer: () => Promise<unknown>) {
  let cursorsSaved = 0
  const { signal } = new AbortController()
  const world: CaptureWorld = {
    settings,
    client: { transport: { request: answer } } as unknown as Client,
    scope: scopeOf(settings.elasticsearch),
    writer: {} as ChangeWriter,
    producer: { send: async (_, messages) => void (cursorsSaved += messages.length) },
    telemetry: quietTelemetry(),
    clock: handClock(),
    report: new ServiceState(),
    ...{ signal, grace: signal },
  }
  const table = new TimestampTable()
  table.assign(cursorPartition(index.key))
  table.know(cursorPartition(index.key))
  const opened = await openCapture(world, table, index, undefined).catch((error: unknown) => error)
  return { opened, cursorsSaved }
}

const refuse = (statusCode: number) => async () => {
  throw new errors.ResponseError({ statusCode, body: {}, warnings: null, meta: {} as never })
}

test('a cursor says of which cluster its index is', async () => {
  const { opened, cursorsSaved } = await begin(async () => ({ cluster_uuid: 'c' }))
  expect(opened).toMatchObject({ cursor: { clusterUuid: 'c' } })
  expect(cursorsSaved).toBe(1)
})

test.each([403, 410])('where nobody may ask (%i), it does without', async (status) => {
  expect((await begin(refuse(status))).opened).toMatchObject({ cursor: { clusterUuid: '' } })
})

test('a cluster that does not answer for a moment is asked again, before the cursor stands for good', async () => {
  const { opened, cursorsSaved } = await begin(refuse(503))
  expect(opened).toMatchObject({ code: 'ELASTICSEARCH_UNREACHABLE' })
  expect(cursorsSaved).toBe(0)
})
