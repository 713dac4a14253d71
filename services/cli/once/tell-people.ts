import { Buffer } from 'node:buffer'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { readHeartbeats } from '@freshet/adapters/kafka/read-heartbeats.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { silentSecondsOf } from '@freshet/config/alert-rules.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { describeError, isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { AlertMessage } from '@freshet/records/alert-state.ts'
import { TOLD_OBJECT, type Told, toldRecord } from '@freshet/records/told.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { openRoutes } from '@freshet/watchdog/routes/open-routes.ts'
import { livingWatchdogs } from '../living-watchdogs.ts'
import { afterRun, type Failure } from './after-run.ts'

const TELL_WITHIN_MS = 60_000
/** A run that has ended waits no longer than this for Slack before it takes the second route. */
const FALLBACK_SECONDS = 20
const LOOK_WITHIN_MS = 15_000

/**
 * Tells people of a run that failed, and of the first that is well again; with restraint, and not where a watchdog runs: it
 * hears of the failure in the last heartbeat of the run. Never rejects: whether the run was well is said already.
 */
export async function tellPeople(settings: Settings, failure: Failure): Promise<void> {
  const { slack, alerts, watchdog } = settings
  const rule = watchdog.rules.once
  if (!rule.enabled || (slack.webhookUrl === undefined && alerts.webhook.url === undefined)) return
  try {
    await using store = openS3(settings.s3)
    const before = await readTold(store)
    const moment = { nowMs: systemClock.nowMs(), repeatMs: watchdog.repeatHours * 3_600_000, rule }
    const { message, told } = afterRun(before, failure, moment)
    if (message === null || (failure !== null && (await isWatched(settings)))) return
    const isTold = await tell(settings, message)
    if (isTold) await remember(store, told)
    else process.stderr.write('freshet: no way to people takes messages now, nobody was told\n')
  } catch (error) {
    process.stderr.write(`freshet: nobody was told: ${describeError(error)}\n`)
  }
}

async function tell(settings: Settings, message: AlertMessage): Promise<boolean> {
  const fallbackSeconds = Math.min(settings.alerts.fallbackSeconds, FALLBACK_SECONDS)
  const routes = openRoutes(
    { ...settings, alerts: { ...settings.alerts, fallbackSeconds } },
    { clock: systemClock, log: quietLog, metrics: { add() {} } },
  )
  await routes.deliver(message, AbortSignal.timeout(TELL_WITHIN_MS))
  return routes.counts().told > 0
}

/** Where it cannot be read, people are told once too often rather than never. */
async function readTold(store: ObjectStore): Promise<Told | null> {
  try {
    const { body } = await store.get(TOLD_OBJECT, AbortSignal.timeout(LOOK_WITHIN_MS))
    return toldRecord.decode(body)
  } catch (error) {
    if (!isFreshetError(error)) throw error
    return null
  }
}

async function remember(store: ObjectStore, told: Told | null): Promise<void> {
  const signal = AbortSignal.timeout(LOOK_WITHIN_MS)
  const writing =
    told === null
      ? store.delete(TOLD_OBJECT, signal)
      : store.put(TOLD_OBJECT, Buffer.from(toldRecord.encode(told)), undefined, signal)
  await Promise.resolve(writing).catch((error: unknown) => {
    process.stderr.write(`freshet: the next run does not know what was told: ${describeError(error)}\n`)
  })
}

/** Whether a watchdog lives. One that cannot be heard of tells nobody anything either. */
async function isWatched(settings: Settings): Promise<boolean> {
  const connection = connectKafka(settings.kafka, { clientId: 'freshet-once-tell', log: quietLog })
  try {
    const { heard } = await readHeartbeats(connection, settings.pipeline, {
      deadlineMs: LOOK_WITHIN_MS,
      signal: AbortSignal.timeout(LOOK_WITHIN_MS),
    })
    const moment = { nowMs: systemClock.nowMs(), silentSeconds: silentSecondsOf(settings) }
    return livingWatchdogs(heard, moment).length > 0
  } catch (error) {
    if (!isFreshetError(error)) throw error
    return false
  }
}
