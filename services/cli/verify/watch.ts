import { checkTopics } from '@freshet/adapters/kafka/topics.ts'
import type { VerifyOptions } from '@freshet/reconcile/verify.ts'
import { isComplete, totalOf, type VerifyReport } from '@freshet/reconcile/verify-report.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import type { Service, ServiceContext, StageReport } from '@freshet/service/service.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { Metrics } from '@freshet/telemetry/metrics.ts'
import { inSpan } from '@freshet/telemetry/spans.ts'
import { summarize } from './describe-report.ts'
import { openWorld, verifyOnce } from './verify-once.ts'

/**
 * Verifies again and again; the watchdog hears of the result. What cannot be looked at now is tried again.
 * @param onReport of each round that came to an end
 */
export function verifyWatch(
  options: Omit<VerifyOptions, 'model'>,
  { everyMs, onReport }: { everyMs: number; onReport: (report: VerifyReport) => void },
): Service {
  return { check, run }

  async function check({ settings, telemetry, instance, signal }: ServiceContext): Promise<void> {
    await using open = openWorld(settings, { clientId: instance, log: telemetry.log, onProgress: () => {} })
    await checkTopics(open.world.connection, settings.pipeline, signal)
  }

  async function run({
    settings,
    instance,
    telemetry,
    signal,
    report: stage,
  }: ServiceContext): Promise<void> {
    const { log, metrics, tracer } = telemetry
    await using open = openWorld(settings, {
      clientId: instance,
      log,
      onProgress: (line) => log.debug(line),
    })
    while (!signal.aborted) {
      try {
        const shape = { name: 'verify', attributes: { [ATTRIBUTES.stage]: 'verify' } }
        const report = await inSpan(tracer, shape, () => verifyOnce(open.world, options, signal))
        tell(report, stage, metrics)
        onReport(report)
        if (isComplete(report)) log.info(summarize(report))
        else log.warn(summarize(report))
      } catch (error) {
        if (signal.aborted) return
        stage.failing('verify', error)
        log.error('nothing can be proved now, trying again', error)
      }
      await systemClock.sleep(everyMs, signal)
    }
  }
}

function tell(report: VerifyReport, stage: StageReport, metrics: Metrics): void {
  const total = totalOf(report)
  metrics.set('freshet.verify.live', total.live)
  metrics.set('freshet.verify.scored', total.scored)
  metrics.set('freshet.verify.older_model', total.olderModel)
  metrics.set('freshet.verify.newer_model', total.newerModel)
  metrics.set('freshet.verify.set_aside', total.setAside)
  metrics.set('freshet.verify.without_key', total.withoutKey)
  metrics.set('freshet.verify.pending', total.pending)
  metrics.set('freshet.verify.missing', total.missing)
  metrics.set('freshet.verify.stale', total.stale)
  metrics.set('freshet.verify.extra', total.extra)
  metrics.set('freshet.verify.unreadable', report.unreadable.length)
  metrics.add('freshet.verify.ended')
  stage.progressed('verify', total.live)
  if (report.model !== null) stage.usesModel(modelLabel(report.model))
  stage.running('verify')
}
