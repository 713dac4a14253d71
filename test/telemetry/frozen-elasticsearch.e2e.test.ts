/*
 * What is proved: an Elasticsearch that takes no telemetry, but lets everybody wait, holds up no document. While it is
 * frozen, a pipeline captures, scores and stores all there is; what its services cannot tell is dropped beyond a bound and
 * counted; and when it thaws, telemetry flows again and says from when to when it was not taken, and how much is missing.
 */

import { loadSettings } from '@freshet/config/load.ts'
import { readFlights } from '@freshet/demo/flights.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { expect, test } from 'vitest'
import { Stack } from '../stack.ts'
import { tracedServices } from '../traced-services.ts'
import { until } from '../until.ts'
import { FrozenDoor } from './frozen-door.ts'

/** The smallest that settings allow: some fifty spans. */
const MAX_QUEUED_BYTES = 65_536

test('a frozen Elasticsearch takes no telemetry, and no document waits for it', async () => {
  const { elasticsearch } = loadSettings({ env: process.env })
  await using door = await FrozenDoor.open(elasticsearch.url)
  await using stack = await Stack.open({
    FRESHET_TELEMETRY_MAX_QUEUED_BYTES: `${MAX_QUEUED_BYTES}`,
    FRESHET_TELEMETRY_METRICS_EVERY_SECONDS: '1',
  })
  const services = ['poller', 'scorer'] as const
  for (const service of services) stack.envOf[service] = { FRESHET_TELEMETRY_URL: door.url }
  door.freeze()
  stack.start(...services)
  const flights = await readFlights()
  for (let from = 0; from < 1_000; from += 100)
    await stack.write(
      Object.fromEntries(flights.slice(from, from + 100).map(({ id, document }) => [id, document])),
    )

  expect(await stack.conserved({ giveUpMs: 120_000 })).toMatchObject({ liveDocuments: 1_000 })
  for (const service of services)
    await until(`${service} has said that its telemetry waits`, async () =>
      stack.output[service]!.includes('telemetry waits: Elasticsearch does not take it'),
    )
  const { count } = await stack.client.count({ index: `traces-*${stack.settings.telemetry.namespace}*` })
  expect(count, 'spans in Elasticsearch').toBe(0)

  door.thaw()
  for (const service of services) {
    await until(
      `${service} says that telemetry flows again`,
      async () => recovered(stack, service) !== undefined,
      { giveUpMs: 90_000 },
    )
    expect(recovered(stack, service), stack.output[service]).toMatchObject({
      [ATTRIBUTES.gapFrom]: expect.any(String),
      [ATTRIBUTES.gapTo]: expect.any(String),
      [ATTRIBUTES.gapDropped]: expect.any(Number),
    })
  }
  const dropped = services.reduce(
    (sum, service) => sum + Number(recovered(stack, service)![ATTRIBUTES.gapDropped]),
    0,
  )
  expect(dropped).toBeGreaterThan(0)
  // The spans of before gave way to metrics and warnings; those of what comes now arrive.
  const [late] = flights.slice(1_000)
  await stack.write({ [late!.id]: late!.document })
  await until(
    'spans of both services are in Elasticsearch',
    async () => (await tracedServices(stack)).size === 2,
    { giveUpMs: 60_000 },
  )
}, 384_000)

/** The line with which a service tells of the gap. */
function recovered(stack: Stack, service: 'poller' | 'scorer'): Record<string, unknown> | undefined {
  const line = stack.output[service]?.split('\n').find((one) => one.includes('telemetry flows again'))
  return line === undefined ? undefined : (JSON.parse(line) as Record<string, unknown>)
}
