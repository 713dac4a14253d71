/**
 * Every picture and every session that `freshet bootstrap` imports into Kibana is asked for on Elasticsearch, as Kibana
 * would ask it, while a pipeline runs. Real: the services, the servers, the documents, the queries as they are imported.
 * Modelled: what takes the import, and Kibana's way from a saved object to a search (`infra/kibana/ask`).
 */
import { readFlights } from '@freshet/demo/flights.ts'
import type { Row } from '@freshet/kibana/ask/read-answer.kit.ts'
import { type View, viewsOf, wrongFields } from '@freshet/kibana/ask/views.kit.ts'
import { StandInKibana } from '@freshet/kibana/import/stand-in-kibana.kit.ts'
import { expect, test } from 'vitest'
import { Stack } from './stack.ts'
import { until } from './until.ts'

const flights = await readFlights()

/** So that a short run leaves what a long one would. */
const TOLD_OFTEN = {
  FRESHET_TELEMETRY_METRICS_EVERY_SECONDS: '1',
  FRESHET_TELEMETRY_TRACE_ONE_IN: '1',
  FRESHET_TELEMETRY_REQUEST_SHARE: '1',
  FRESHET_WATCHDOG_INTERVAL_SECONDS: '1',
}

test('every view has something to show of a pipeline that runs', async () => {
  const fromMs = Date.now()
  await using kibana = await StandInKibana.open()
  await using stack = await Stack.open({ ...TOLD_OFTEN, FRESHET_KIBANA_URL: kibana.url })
  const { namespace } = stack.settings.telemetry
  const views = viewsOf(kibana.exported(), (pattern) => pattern.replace('*', `${namespace}*`))
  expect(views.length).toBeGreaterThan(10)
  stack.start('poller', 'scorer', 'gateway', 'watchdog')
  await stack.write({ poison: { carrier: 'UA', note: 'no distance, no schedule' } })
  await stack.gatewayReady()

  const shown = new Map<string, readonly Row[]>()
  let round = 0
  await until(
    'every view shows something',
    async () => {
      await disturb(stack, round++)
      await stack.client.indices.refresh({ index: `*-freshet.otel-${namespace}*` })
      const range = { fromMs, toMs: Date.now() + 1_000 }
      await Promise.all(
        views.map(async (view) => void shown.set(view.name, await view.ask(stack.client, range))),
      )
      return emptyOf(views, shown).length === 0
    },
    {
      giveUpMs: 80_000,
      explain: () => JSON.stringify({ empty: emptyOf(views, shown), output: stack.output }),
    },
  )

  const wrong = await Promise.all(
    views.map(async (view) => (await wrongFields(stack.client, view)).map((what) => `${view.name}: ${what}`)),
  )
  expect(wrong.flat()).toEqual([])
  expect(shown.get('search freshet-failed-documents')).toContainEqual(
    expect.objectContaining({ 'freshet.key': `${stack.index}/poison`, 'error.type': 'FIELD_MISSING' }),
  )
}, 240_000)

/** Some documents change, and some are asked for: one that has a score, one that has none. */
async function disturb(stack: Stack, round: number): Promise<void> {
  const changed = flights.slice(0, 40).map(({ id, document }) => [id, { ...document, round }])
  await stack.write(Object.fromEntries(changed))
  for (const id of [flights[0]!.id, 'poison'])
    await fetch(`${stack.gatewayUrl}/v1/scores/${stack.index}/${id}`)
}

/** Views without a row, or with a figure that is drawn nowhere; zeros do not count, but for a lag, which may be none. */
function emptyOf(views: readonly View[], shown: ReadonlyMap<string, readonly Row[]>): readonly string[] {
  return views.flatMap(({ name, figures }) => {
    const rows = shown.get(name) ?? []
    const least = name === 'lens freshet-lag' ? 0 : Number.MIN_VALUE
    const missing = figures.filter((figure) => !rows.some((row) => Number(row[figure] ?? -1) >= least))
    return rows.length === 0 || missing.length > 0 ? [`${name} ${missing.join(' ')}`] : []
  })
}
