import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { checkTopics } from '@freshet/adapters/kafka/topics.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import type { Service, ServiceContext } from '@freshet/service/service.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { keepRetention } from '@freshet/telemetry/elasticsearch/retention.ts'
import { type Alerts, openAlerts } from './alerts/open-alerts.ts'
import { openLook } from './look/open-look.ts'
import { StatusPage } from './page/status-page.ts'
import { openPeople } from './routes/open-people.ts'
import { FactWindow } from './rules/fact-window.ts'
import { judge } from './rules/judge.ts'
import { type Loop, together } from './together.ts'

/** Watches a pipeline from outside and tells people when something is wrong, and when it is right again. */
export const watchdog: Service = { check, run: runWatchdog }

async function check({ settings, instance, telemetry, signal }: ServiceContext): Promise<void> {
  const connection = connectKafka(settings.kafka, { clientId: instance, log: telemetry.log })
  await checkTopics(connection, settings.pipeline, signal).catch((error: unknown) => {
    // That Kafka is away is for the watchdog to tell, not a reason to end.
    if (!isFreshetError(error) || !error.retryable || signal.aborted) throw error
    telemetry.log.warn(`${error.message}; the watchdog watches all the same`)
  })
}

/** The path of a fact: look → rules → alerts → people; the page shows all of it. */
export async function runWatchdog(context: ServiceContext): Promise<void> {
  const { settings, instance, telemetry, signal } = context
  const clock = systemClock
  await using look = openLook(context, clock)
  const page = new StatusPage({ settings, instance, clock, log: telemetry.log })
  const people = openPeople(context, {
    speaks: () => alerts.role() === 'speaks',
    orders: () => alerts.orders(),
    waiting: () => alerts.waiting(),
    clock,
  })
  const window = new FactWindow()
  await using alerts: Alerts = openAlerts(context, {
    look: (until) => look.look(until),
    judge: (facts) => judge(facts, window.push(facts), settings.watchdog.rules),
    route: people.route,
    onLook: (facts, seen) => {
      people.looked(facts, seen)
      page.looked({ facts, alerts: seen, orders: alerts.orders(), speaks: speaks(alerts) })
    },
    onGivenUp: (message) => people.dropped(message),
    clock,
  })
  const retention = (until: AbortSignal) =>
    keepRetention(settings, { clock, log: telemetry.log, signal: until })
  const loops = [look, alerts, people, page].map(
    (part): Loop =>
      (until) =>
        part.run(until),
  )
  await together([...loops, retention], signal)
}

/** null while nobody is known to speak. */
function speaks(alerts: Alerts): boolean | null {
  const role = alerts.role()
  return role === 'waits' ? null : role === 'speaks'
}
