import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { readLag, sumLag } from '@freshet/adapters/kafka/lag.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { type Heartbeat, heartbeatRecord, isHeartbeatKey } from '@freshet/records/heartbeat.ts'
import { consumerGroups, topicName, type WorkerGroup } from '@freshet/records/topics.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Command } from 'commander'
import { readInvocation } from '../invocation.ts'
import { areWell, type ListedInstance, listInstances } from '../listed-instances.ts'

const READ_DEADLINE_MS = 10_000
const SOMETHING_IS_WRONG = 1

interface Status {
  readonly pipeline: string
  readonly instances: readonly ListedInstance[]
  readonly groups: readonly (WorkerGroup & ReturnType<typeof sumLag>)[]
}

/** Who lives, how far each stage is, and how far each consumer group is behind. Exit code 1 when something is not well. */
export function statusCommand(): Command {
  return new Command('status')
    .description('show instances, progress and lag')
    .action(async (_: unknown, command: Command) => {
      const { settings, json } = readInvocation(command)
      const status = await readStatus(settings)
      process.stdout.write(json ? `${JSON.stringify(status)}\n` : describe(status))
      if (!areWell(status.instances)) process.exitCode = SOMETHING_IS_WRONG
    })
}

async function readStatus({ kafka, pipeline, watchdog: { silentSeconds } }: Settings): Promise<Status> {
  const connection = connectKafka(kafka, { clientId: 'freshet-status', log: quietLog })
  const signal = AbortSignal.timeout(READ_DEADLINE_MS)
  const latest = new Map<string, Heartbeat>()
  await readAll(connection, topicName(pipeline, 'heartbeats'), {
    deadlineMs: READ_DEADLINE_MS,
    signal,
    onMessage: (_, { key, value }) => {
      if (key !== null && value !== null && isHeartbeatKey(key.toString()))
        latest.set(key.toString(), heartbeatRecord.decode(value))
    },
  })
  const groups = await Promise.all(
    consumerGroups(pipeline).map(async (group) => ({
      ...group,
      ...sumLag(await readLag(connection, group, signal)),
    })),
  )
  const instances = listInstances([...latest.values()], { nowMs: Date.now(), silentSeconds })
  return { pipeline, instances, groups }
}

function describe({ pipeline, instances, groups }: Status): string {
  const lines = [
    `pipeline ${pipeline}`,
    ...instances.map(
      ({ instance, status, silentSeconds, progress, model, lastError }) =>
        `  ${instance.padEnd(18)} ${status.padEnd(9)} heard ${silentSeconds} s ago  ${Object.entries(progress)
          .map(([stage, units]) => `${stage} ${units}`)
          .join(
            '  ',
          )}${model === null ? '' : `  model ${model}`}${lastError === null ? '' : `\n    last error: ${lastError}`}`,
    ),
    ...(instances.length === 0 ? ['  no instance runs: `freshet run all`'] : []),
    ...groups.map(
      ({ groupId, topic, lagRecords, lagSeconds }) =>
        `  ${groupId.padEnd(18)} ${lagRecords} records, ${lagSeconds.toFixed(1)} s behind on ${topic}`,
    ),
  ]
  return `${lines.join('\n')}\n`
}
