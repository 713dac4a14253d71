import { FreshetError } from '@freshet/errors/errors.ts'
import { faultOfKey } from '@freshet/records/document-key.ts'
import { Command, Option } from 'commander'
import { duration } from '../arguments.ts'
import { interruptible } from '../interruptible.ts'
import { readInvocation } from '../invocation.ts'
import { tellWhile } from '../tell-while.ts'
import { describeJourneys, describeWaiting } from '../trace/describe-journey.ts'
import { followDocument } from '../trace/follow.ts'

const NOTHING_SEEN = 1
const SHOWN = 3
const MOST_DAYS = 7

interface TraceOptions {
  readonly for: number
  readonly wait: number
  readonly all?: boolean
}

/** One document on its way, from the poll to the gateway. */
export function traceCommand(): Command {
  return new Command('trace')
    .description('follow one document from Elasticsearch to the gateway')
    .argument('<key>', 'e.g. flights/2013-01-15-UA-1545-EWR')
    .addOption(
      new Option('--for <time>', 'how long it is traced')
        .argParser(duration({ mostDays: MOST_DAYS }))
        .default(600_000, '10m'),
    )
    .addOption(
      new Option('--wait <time>', 'how long to wait here for a change of it')
        .argParser(duration({ mostDays: 1 }))
        .default(90_000, '90s'),
    )
    .option('--all', `all that Elasticsearch knows of it, not only the last ${SHOWN}`)
    .addHelpText(
      'after',
      `
From now on poller, scorer and gateway leave a span at each step of this document. The command waits until a change of it
has come all the way to the snapshot, then shows it, with what was seen before. Ctrl-C shows what there is; the order stands.
Exit code: 0 when anything of it was seen, 1 when nothing was, 2 when it cannot be ordered or read.`,
    )
    .action(async (key: string, options: TraceOptions, command: Command) => {
      const fault = key.trim() === '' ? 'the key is empty' : faultOfKey(key)
      if (fault !== null) throw new FreshetError('USAGE', `${fault}: no document has it`)
      const { settings, json } = readInvocation(command)
      if (!settings.telemetry.enabled)
        throw new FreshetError('CONFIG_INVALID', 'telemetry.enabled is false: no document leaves a trace')
      const { for: forMs, wait: waitMs, all = false } = options
      process.exitCode = await interruptible(async (signal) => {
        const times = { forMs, waitMs: Math.min(waitMs, forMs) }
        const followed = await tellWhile(`waiting for ${key}`, () =>
          followDocument(settings, key, times, signal),
        )
        const { journeys, hasArrived } = followed
        if (json) process.stdout.write(`${JSON.stringify({ key, ...followed })}\n`)
        else {
          if (journeys.length > 0)
            process.stdout.write(describeJourneys(key, journeys, all ? journeys.length : SHOWN))
          if (!hasArrived) process.stdout.write(describeWaiting(key, journeys, followed))
        }
        return journeys.length > 0 ? 0 : NOTHING_SEEN
      })
    })
}
