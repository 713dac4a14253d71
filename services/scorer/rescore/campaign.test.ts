import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { settingsSchema } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { PromotedModel } from '@freshet/model/run/promoted-model.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { type Clock, systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { expect, onTestFinished, test } from 'vitest'
import { BackgroundWork } from '../background-work.ts'
import type { BatchScorer } from '../infer/batch-scorer.ts'
import { Campaign } from './campaign.ts'

const clock: Clock = {
  nowMs: systemClock.nowMs,
  sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 10), signal),
}

test('what it cannot look at any more ends the campaign, and not the process', async () => {
  const unheard: unknown[] = []
  const hear = (reason: unknown) => unheard.push(reason)
  process.on('unhandledRejection', hear)
  onTestFinished(() => void process.off('unhandledRejection', hear))
  const { address, asked } = await mutedBroker()
  const settings = settingsSchema.parse({ kafka: { brokers: [address] } })
  const { signal } = new AbortController()
  const campaign = new Campaign(
    { settings, instance: 'test', telemetry: quietTelemetry(), signal, report: new ServiceState() },
    {
      connection: connectKafka(settings.kafka, { clientId: 'test', log: quietLog }),
      models: { current: { identity: { generation: 2 } } } as PromotedModel,
      scorer: {} as BatchScorer,
      background: new BackgroundWork(1, clock),
      clock,
      generation: 2,
      look: async () => {
        await asked // so that the consumer takes its time to end
        throw new FreshetError('RECORD_VERSION', 'a newer build keeps notes there')
      },
    },
  )
  const plan = { partition: 0, low: 0, from: 0, to: 9, beganAtMs: null, settled: null }
  await expect(campaign.run([plan])).rejects.toMatchObject({ code: 'RECORD_VERSION' })
  expect(unheard).toEqual([])
})

/** It takes connections, and never answers. */
async function mutedBroker() {
  const sockets = new Set<Socket>()
  const { promise: asked, resolve } = Promise.withResolvers<void>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).on('data', () => resolve()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}
