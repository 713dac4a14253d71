import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { checkTopics } from '@freshet/adapters/kafka/topics.ts'
import type { Service, ServiceContext } from '@freshet/service/service.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { AlertBook } from './alerts/alert-book.ts'
import { AlertStore } from './alerts/alert-store.ts'
import { tell } from './alerts/tell-loop.ts'
import { remember, watch } from './alerts/watch-loop.ts'
import { FactReader } from './look/facts.ts'
import { Heard } from './look/heard.ts'
import { listen } from './look/heartbeat-ear.ts'
import { logAlert, logRoute } from './routes/alert-route.ts'
import { SlackRoute } from './routes/slack-route.ts'

/** As long as the topic keeps heartbeats, so that a watchdog that starts knows as much as one that runs. */
const REMEMBER_MS = 3_600_000

/** Watches a pipeline from outside and tells people when something is wrong, and when it is right again. */
export const watchdog: Service = { check, run: runWatchdog }

async function check({ settings, instance, telemetry, signal }: ServiceContext): Promise<void> {
  const connection = connectKafka(settings.kafka, { clientId: instance, log: telemetry.log })
  await checkTopics(connection, settings.pipeline, signal)
}

export async function runWatchdog({ settings, instance, telemetry, signal }: ServiceContext): Promise<void> {
  const { log } = telemetry
  const { pipeline } = settings
  const { webhookUrl } = settings.slack
  const clock = systemClock
  const connection = connectKafka(settings.kafka, { clientId: instance, log })
  const route = webhookUrl ? new SlackRoute({ webhookUrl, pipeline, clock, log }) : logRoute(log)
  const startedAtMs = clock.nowMs()
  const heard = new Heard(startedAtMs)
  const facts = new FactReader({ connection, pipeline, heard, rememberMs: REMEMBER_MS, clock })
  const book = new AlertBook((message) => logAlert(log, message))
  await using store = new AlertStore(connection, { pipeline, clock, log })

  const failed = new AbortController()
  const loops = AbortSignal.any([signal, failed.signal])
  const all = [
    listen({ connection, pipeline, heard, sinceMs: startedAtMs - REMEMBER_MS, clock, log }, loops),
    watch({ settings: settings.watchdog, facts, book, store, clock, log, tracer: telemetry.tracer }, loops),
    tell({ book, route, remember: () => remember({ store, book, log }, loops), clock, log }, loops),
  ]
  try {
    await Promise.all(all)
  } finally {
    failed.abort()
    await Promise.allSettled(all)
  }
}
