import { withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { readGroupPositions } from '@freshet/adapters/kafka/group-positions.ts'
import { isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { groupName, topicName } from '@freshet/records/topics.ts'
import { LastingFault } from '@freshet/service/lasting-fault.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import { type FillDeps, fillCache } from './fill-cache.ts'
import { describeGone, type RefillProgress } from './refill.ts'

/** Pause between two looks at the mark: how long a wiped Redis stays unnoticed. */
const LOOK_MS = 1_000
/** So much of `.scores` comes again to a Redis that was restarted and has kept its data. */
const ADVANCE_MS = 10_000
/** After a refill that failed; nobody misses an answer meanwhile, for the gateway has the snapshot. */
const BACK_OFF = { firstMs: 1_000, maxMs: 60_000 }
/** Whoever is told that Redis is away, or takes no writes, wants to hear soon when that is over. */
const LOOK_BACK_OFF = { firstMs: 1_000, maxMs: 4_000 }
/** A Redis that was restarted is back by then. */
const PATIENCE_MS = 6_000
const LOG_INTERVAL_MS = 60_000
const PROGRESS_MS = 10_000

/**
 * Looks every second whether Redis still has all scores, until the signal aborts. Where it was flushed, restarted or
 * replaced, it is refilled from the snapshot and `.scores`, while the cache worker goes on with what is new. One that has
 * kept its data says how far it has `.scores`, and gets what comes after.
 */
export async function keepFilled(context: ServiceContext, deps: FillDeps): Promise<void> {
  const patienceMsOf = () => PATIENCE_MS
  const fault = new LastingFault(context.report, { worker: 'refill', patienceMsOf, clock: deps.clock })
  try {
    await lookAgainAndAgain(context, deps, fault)
  } finally {
    fault.looked(undefined) // whoever starts this again knows nothing of what was told
  }
}

async function lookAgainAndAgain(
  context: ServiceContext,
  deps: FillDeps,
  fault: LastingFault,
): Promise<void> {
  const { signal, telemetry } = context
  const lines = new Throttle(LOG_INTERVAL_MS, deps.clock)
  let advancedAtMs = Number.NEGATIVE_INFINITY
  for (let failures = 0; !signal.aborted; ) {
    let backOff = LOOK_BACK_OFF
    try {
      const isFilled = await deps.cache.mark.isFilled()
      if (isFilled && deps.clock.nowMs() - advancedAtMs >= ADVANCE_MS) {
        await advance(context, deps)
        advancedAtMs = deps.clock.nowMs()
      }
      if (!isFilled) backOff = BACK_OFF
      // Of what another scorer has in hand, that one tells.
      if (isFilled || (await fillUnlessClaimed(context, deps, lines))) fault.looked(undefined)
      failures = 0
    } catch (error) {
      if (signal.aborted) return
      failures++
      tell(telemetry.log, error, lines)
      fault.looked(error)
    }
    const pauseMs = failures === 0 ? LOOK_MS : LOOK_MS + delayMs(backOff, failures, Math.random)
    await deps.clock.sleep(pauseMs, signal)
  }
}

/**
 * What the cache group has committed, Redis has acknowledged. Where Kafka is away, the mark stays as it is.
 * @throws what Redis refuses: where nothing is scored, no other write would tell that its memory is full
 */
async function advance({ settings, signal, telemetry }: ServiceContext, deps: FillDeps): Promise<void> {
  const topic = topicName(settings.pipeline, 'scores')
  const groupId = groupName(settings.pipeline, 'cache')
  const doing = `reading how far ${groupId} is`
  try {
    await deps.cache.mark.advance(async () => {
      const positions = await withAdmin(deps.connection, { doing, signal }, (admin) =>
        readGroupPositions(admin, { groupId, topic }),
      )
      return new Map(positions.map(({ partition, committed, low }) => [partition, committed ?? low]))
    })
  } catch (error) {
    if (isFreshetError(error, 'REDIS_REFUSED')) throw error
    telemetry.log.debug('Redis was not told how far it is', { [ATTRIBUTES.exceptionMessage]: String(error) })
  }
}

function tell(log: Log, error: unknown, lines: Throttle): void {
  const { code, message, retryable } = toFreshetError(error)
  if (lines.pass(code) === null) return
  const text = 'Redis is not known to hold all scores; it is looked at again'
  if (retryable) log.warn(`${text}: ${message}`, { [ATTRIBUTES.errorType]: code })
  else log.error(text, error)
}

/**
 * One scorer is enough; when it dies, its claim ends and another takes over.
 * @returns whether Redis now holds all scores; false: another one is at it
 */
async function fillUnlessClaimed(context: ServiceContext, deps: FillDeps, lines: Throttle): Promise<boolean> {
  const { settings, instance, telemetry } = context
  const { mark } = deps.cache
  if ((await mark.claim(instance)) !== instance) return false
  const startMs = deps.clock.nowMs()
  try {
    const { pipeline, redis } = settings
    const onProgress = progressTo(context, deps.clock, lines)
    const task = { pipeline, ttlSeconds: redis.ttlSeconds, anew: false, owner: instance, onProgress }
    const { rows, gone, resumed } = await fillCache(deps, task, context.signal)
    const seconds = (deps.clock.nowMs() - startMs) / 1_000
    telemetry.metrics.add('freshet.cache.refills')
    if (gone > 0) telemetry.log.warn(describeGone(gone), { [ATTRIBUTES.missingMessages]: gone })
    const what = resumed ? 'it had kept its data, and got what it may have lost' : 'brought anew'
    const text = `Redis holds all scores, ${what}: ${rows} rows in ${seconds.toFixed(1)} s`
    if (rows > 0) telemetry.log.info(text, { [ATTRIBUTES.rows]: rows })
    return true
  } finally {
    telemetry.metrics.set('freshet.cache.refill_left', 0)
    await mark.release(instance).catch(() => {}) // ends by itself
  }
}

/** A pipeline that begins has no snapshot, and nothing was lost: no line. */
function progressTo(
  { telemetry, report }: ServiceContext,
  clock: Clock,
  begins: Throttle,
): (progress: RefillProgress) => void {
  const { log, metrics } = telemetry
  const lines = new Throttle(PROGRESS_MS, clock)
  let told = 0
  return ({ rows, rowsLeft }) => {
    metrics.add('freshet.cache.refilled', rows - told)
    metrics.set('freshet.cache.refill_left', Math.max(1, rowsLeft))
    if (rows > told) report.progressed('refill', rows - told)
    told = rows
    if (rowsLeft === 0 || lines.pass() === null) return
    const text = `Redis does not hold all scores: ${rows} rows brought, ${rowsLeft} of the snapshot to come`
    if (rows > 0) log.info(text)
    else if (begins.pass('begin') !== null) log.warn(text)
  }
}
