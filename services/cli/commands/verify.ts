import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { isComplete } from '@freshet/reconcile/verify-report.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Command } from 'commander'
import { seconds, wholeNumber } from '../arguments.ts'
import { interruptible } from '../interruptible.ts'
import { readInvocation } from '../invocation.ts'
import { ProgressLine } from '../progress-line.ts'
import { describeReport } from '../verify/describe-report.ts'
import { openWorld, verifyOnce } from '../verify/verify-once.ts'

const SOMETHING_IS_WRONG = 1
const DEFAULT_LIMIT = 20
const DEFAULT_INTERVAL_SECONDS = 300

interface Options {
  readonly repair?: boolean
  readonly watch?: boolean
  readonly interval: number
  readonly wait?: number
  readonly limit: number
}

/** The proof that every living document has its score. Exit code 1 when something is missing, stale, extra or pending. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('prove that every living document is scored at its current revision, and nothing else is')
    .option(
      '--repair',
      'emit again what is missing or stale, and deletes for what is extra; then verify again',
    )
    .option(
      '--watch',
      'verify again and again; metrics and the watchdog tell the result, --json a line a round',
    )
    .option('--interval <seconds>', 'pause of --watch', seconds(), DEFAULT_INTERVAL_SECONDS)
    .option(
      '--wait <seconds>',
      'longest wait for what is on its way (default: two snapshots, the pause of a sweep and half a minute; a sweep has three times as long more as reading all ids takes)',
      seconds({ orNone: true }),
    )
    .option(
      '--limit <keys>',
      'names of each kind of finding; --json lists all',
      wholeNumber({ from: 0 }),
      DEFAULT_LIMIT,
    )
    .addHelpText(
      'after',
      `
Exit code: 0 when the proof holds, 1 when something is missing, stale, extra, pending, scored by a newer
generation than the promoted one, or could not be read, 2 when nothing can be proved now. Documents that are set aside or
have no key do not fail the proof: they stand with their reason in the topic <pipeline>.dead.`,
    )
    .action(async (options: Options, command: Command) => {
      const { settings, json } = readInvocation(command)
      refuseTimestamps(settings)
      if (options.watch) process.exitCode = await watch(settings, options, json)
      else process.exitCode = await interruptible((signal) => once(settings, options, json, signal))
    })
}

/** The proof is by sequence numbers; taken for those, timestamps would make every key missing or extra. */
function refuseTimestamps({ elasticsearch }: Settings): void {
  if (elasticsearch.mode === 'timestamp')
    throw new FreshetError(
      'USAGE',
      'verify proves by sequence numbers: not with elasticsearch.mode timestamp',
    )
}

async function once(
  settings: Settings,
  options: Options,
  json: boolean,
  signal: AbortSignal,
): Promise<number> {
  using progress = new ProgressLine(process.stderr, systemClock)
  await using open = openWorld(settings, {
    clientId: 'freshet-verify',
    log: quietLog,
    onProgress: (line) => progress.show(line),
  })
  const report = await verifyOnce(open.world, runOptions(settings, options, json), signal)
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : describeReport(report))
  return isComplete(report) ? 0 : SOMETHING_IS_WRONG
}

/** What a service needs is loaded only where one runs. */
async function watch(settings: Settings, options: Options, json: boolean): Promise<number> {
  const { runService } = await import('@freshet/service/run-service.ts')
  const { verifyWatch } = await import('../verify/watch.ts')
  const service = verifyWatch(runOptions(settings, options, json), {
    everyMs: options.interval * 1_000,
    onReport: (report) => {
      if (json) process.stdout.write(`${JSON.stringify(report)}\n`)
    },
  })
  return (await runService('verify', service, settings)).exitCode
}

function runOptions(settings: Settings, { wait, limit, repair = false }: Options, json: boolean) {
  const maxListed = json ? Number.POSITIVE_INFINITY : limit
  return { waitMs: (wait ?? defaultWaitSeconds(settings)) * 1_000, maxListed, repair }
}

/** A score is stored with the next snapshot or the one after; a delete is found by the next sweep. */
function defaultWaitSeconds({ snapshot, sweep }: Settings): number {
  return 2 * snapshot.intervalSeconds + sweep.pauseSeconds + 30
}
