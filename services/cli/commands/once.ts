import { Command } from 'commander'
import { seconds } from '../arguments.ts'
import { readInvocation } from '../invocation.ts'
import { describeOnce, type OnceSummary } from '../once/summary.ts'
import { STOPPED, tellStopped } from '../stopped.ts'

const DEFAULT_DEADLINE_SECONDS = 3_600

/** Catches up, scores, stores, and ends: for cron, for Airflow, for a machine that lives for minutes. */
export function onceCommand(): Command {
  return new Command('once')
    .description('capture what has changed, find deletes, score, store it all, and end')
    .option(
      '--deadline <seconds>',
      'longest run; what is not done by then is left to the next one',
      seconds(),
      DEFAULT_DEADLINE_SECONDS,
    )
    .addHelpText(
      'after',
      `
Exit code: 0 when everything that was there at the start is scored and stored, 1 when something is left, 2 when someone
has to mend something first, 130 when it was stopped. People are told of a failed run (slack.webhookUrl,
alerts.webhook.url) and of the first that is well again, unless a watchdog runs, which then does that. However it ends,
the next run goes on where it was.`,
    )
    .action(async ({ deadline }: { deadline: number }, command: Command) => {
      const { settings, json } = readInvocation(command)
      const { runService } = await import('@freshet/service/run-service.ts') // what a service needs is loaded only here
      const { onceService } = await import('../once/once-service.ts')
      const { tellPeople } = await import('../once/tell-people.ts')
      let summary: OnceSummary | undefined
      const onSummary = (told: OnceSummary) => {
        summary = told
        process.stdout.write(json ? `${JSON.stringify(told)}\n` : describeOnce(told))
      }
      const service = onceService({ deadlineMs: deadline * 1_000, onSummary })
      const ending = await runService('once', service, settings)
      if (summary?.outcome === 'stopped') {
        tellStopped()
        process.exitCode = STOPPED
        return
      }
      process.exitCode = ending.exitCode
      await tellPeople(settings, summary?.error ?? null)
    })
}
