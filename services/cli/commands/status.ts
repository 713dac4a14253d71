import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { readLag, sumLag } from '@freshet/adapters/kafka/lag.ts'
import { readHeartbeats } from '@freshet/adapters/kafka/read-heartbeats.ts'
import { silentSecondsOf } from '@freshet/config/alert-rules.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { consumerGroups } from '@freshet/records/topics.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { areWell, listInstances } from '@freshet/watchdog/page/view/listed-instances.ts'
import { Command } from 'commander'
import { seconds } from '../arguments.ts'
import { describeStatus, type Status } from '../describe-status.ts'
import { interruptSignal } from '../interruptible.ts'
import { readInvocation } from '../invocation.ts'

const READ_DEADLINE_MS = 10_000
const SOMETHING_IS_WRONG = 1
const DEFAULT_INTERVAL_SECONDS = 2

interface Options {
  readonly watch?: boolean
  readonly interval: number
}

/** Who lives, how far each stage is, and how far each consumer group is behind. Exit code 1 when something is not well. */
export function statusCommand(): Command {
  return new Command('status')
    .description('show instances, progress and lag')
    .option('--watch', 'show all of it again and again, as the status page does, until q or Ctrl-C')
    .option('--interval <seconds>', 'pause of --watch', seconds(), DEFAULT_INTERVAL_SECONDS)
    .action(async ({ watch = false, interval }: Options, command: Command) => {
      const { settings, json } = readInvocation(command)
      if (watch) {
        const { watchStatus } = await import('../status-watch/watch-status.ts')
        return await watchStatus(settings, { everyMs: interval * 1_000, json }, interruptSignal())
      }
      const status = await readStatus(settings)
      process.stdout.write(json ? `${JSON.stringify(status)}\n` : describeStatus(status))
      if (!areWell(status.instances) || status.unreadable.length > 0) process.exitCode = SOMETHING_IS_WRONG
    })
}

async function readStatus(settings: Settings): Promise<Status> {
  const { kafka, pipeline, elasticsearch } = settings
  const connection = connectKafka(kafka, { clientId: 'freshet-status', log: quietLog })
  const signal = AbortSignal.timeout(READ_DEADLINE_MS)
  const { heard, unreadable } = await readHeartbeats(connection, pipeline, {
    deadlineMs: READ_DEADLINE_MS,
    signal,
  })
  const groups = await Promise.all(
    consumerGroups(pipeline).map(async (group) => ({
      ...group,
      ...sumLag(await readLag(connection, group, signal)),
    })),
  )
  const atMs = Date.now()
  const instances = listInstances(heard, { nowMs: atMs, silentSeconds: silentSecondsOf(settings) })
  return { pipeline, mode: elasticsearch.mode, atMs, instances, unreadable, groups }
}
