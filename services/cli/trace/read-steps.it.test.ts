import { randomBytes } from 'node:crypto'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { connectTelemetry } from '@freshet/telemetry/elasticsearch/connect.ts'
import { installTemplates } from '@freshet/telemetry/elasticsearch/template.ts'
import { openTelemetry } from '@freshet/telemetry/open.ts'
import { expect, onTestFinished, test } from 'vitest'
import { hasArrived, journeysOf } from './journey.ts'
import { readSteps } from './read-steps.ts'

const revision = { documentVersion: 0, epoch: 1_700_000_000_000, primaryTerm: 1, seqNo: 12 }

test.each([undefined, 'long and random'])(
  'a document’s steps are found by its key, salt: %s',
  async (salt) => {
    const name = `t${randomBytes(5).toString('hex')}`
    const env = {
      ...process.env,
      ...{ FRESHET_PIPELINE: name, FRESHET_TELEMETRY_NAMESPACE: name, FRESHET_TELEMETRY_LOG_LEVEL: 'error' },
      ...(salt !== undefined && { FRESHET_TELEMETRY_KEY_SALT: salt }),
    }
    const settings = loadSettings({ env })
    await installTemplates(settings, Date.now())
    onTestFinished(() => forget(settings, name))
    const beganAtMs = Date.now()
    const step = { reason: 'order', revision, asOfMs: beganAtMs, beganAtMs, together: [] } as const
    for (const service of ['poller', 'scorer']) {
      await using telemetry = openTelemetry({ settings, service, instance: `${service}-1`, format: 'json' })
      for (const key of ['flights/ä 1', 'flights/2'])
        if (service === 'poller')
          telemetry.traced.leave({
            ...{ ...step, key, step: 'capture', after: null, generation: 0 },
            endedAtMs: beganAtMs + 38,
          })
        else
          for (const done of ['score', 'cache', 'snapshot'] as const)
            telemetry.traced.leave({
              ...{ ...step, key, step: done, after: done === 'score' ? 'capture' : 'score', generation: 1 },
              endedAtMs: beganAtMs + 50,
            })
    }
    await using reader = connectTelemetry(settings)
    const look = (key: string) =>
      readSteps(reader.client, settings, key, AbortSignal.timeout(20_000)).then(journeysOf)
    await expect.poll(async () => hasArrived(await look('flights/ä 1'), beganAtMs)).toBe(true)
    const [journey, ...others] = await look('flights/ä 1')
    expect(others).toEqual([])
    expect(journey).toMatchObject({ seqNo: 12, missing: [] })
    expect(journey!.steps.map(({ step, service, tookMs, ageMs }) => [step, service, tookMs, ageMs])).toEqual(
      expect.arrayContaining([
        ['capture', 'poller', 38, 38],
        ['cache', 'scorer', 50, 50],
      ]),
    )
    expect(await look('flights/3')).toEqual([])
  },
)

async function forget(settings: Settings, namespace: string): Promise<void> {
  await using telemetry = connectTelemetry(settings)
  const { indices, cat } = telemetry.client
  const rows = await cat.indices({ index: `*-freshet.otel-${namespace}*`, h: 'index', format: 'json' })
  for (const { index } of rows) await indices.delete({ index: index! }, { ignore: [404] })
}
