import type { Settings } from '@freshet/config/schema.ts'
import { ERRORS, FreshetError } from '@freshet/errors/errors.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { Command, InvalidArgumentError } from 'commander'
import { moment, wholeNumber } from '../arguments.ts'
import { interruptible } from '../interruptible.ts'
import { readInvocation } from '../invocation.ts'
import { ProgressLine } from '../progress-line.ts'
import { replayOnce } from '../replay/replay-once.ts'
import { describeReplay, isClean } from '../replay/replay-report.ts'

const SOMETHING_STAYS = 1
const DEFAULT_LIMIT = 20

interface Options {
  readonly dead?: boolean
  readonly code?: string
  readonly since: number
  readonly dryRun?: boolean
  readonly limit: number
}

/** Brings back what was set aside, after a fix. Exit code 1 when something stays dead. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('bring dead letters back after a fix, each document as it is now in Elasticsearch')
    .option('--dead', 'what to replay: the dead letters')
    .option('--code <code>', 'only those of this error code, such as DOCUMENT_TOO_LARGE', errorCode)
    .option(
      '--since <time>',
      'only those from then on: 2026-05-01T12:00:00Z, or 90m, 6h, 2d ago',
      moment(systemClock),
      0,
    )
    .option('--dry-run', 'list them, and say what would become of each; nothing is written')
    .option('--limit <letters>', 'letters listed; --json lists all', wholeNumber({ from: 0 }), DEFAULT_LIMIT)
    .addHelpText(
      'after',
      `
A document that was mended in Elasticsearch replays itself: its new version is captured. Replay is for what was mended
elsewhere: a limit of Kafka that was raised, a service that was upgraded, a model that was promoted.
Exit code: 0 when nothing stays dead, 1 when something does (it is said why), 2 when it cannot be looked at now.`,
    )
    .action(async (options: Options, command: Command) => {
      const { settings, json } = readInvocation(command)
      check(options, settings)
      process.exitCode = await interruptible(async (signal) => {
        const { code, since: sinceMs, dryRun: isDryRun = false } = options
        using progress = new ProgressLine(process.stderr, systemClock)
        const onProgress = (line: string) => progress.show(line)
        const report = await replayOnce(settings, { code, sinceMs, isDryRun, onProgress }, signal)
        process.stdout.write(json ? `${JSON.stringify(report)}\n` : describeReplay(report, options.limit))
        return isClean(report) ? 0 : SOMETHING_STAYS
      })
    })
}

function check({ dead = false }: Options, { elasticsearch }: Settings): void {
  if (!dead) throw new FreshetError('USAGE', 'what is to be replayed? There is --dead')
  if (elasticsearch.mode === 'timestamp')
    throw new FreshetError(
      'USAGE',
      'replay finds documents by sequence numbers: not with elasticsearch.mode timestamp',
    )
}

function errorCode(text: string): string {
  if (Object.hasOwn(ERRORS, text)) return text
  throw new InvalidArgumentError('There is no such error code: see docs/reference/errors.md.')
}
