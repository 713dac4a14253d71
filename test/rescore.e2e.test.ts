/**
 * Promotions, with real processes that are killed and stand still while they score everything again: two scorers, a
 * promotion before the last one is done, and a rollback. Both versions of the model give other scores for nearly every
 * document, so the oracle tells whether one was left with those of the version before.
 */
import { connectKafka, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { readFlights } from '@freshet/demo/flights.ts'
import type { ModelBundle } from '@freshet/model/bundle/bundle.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { otherVersion } from '@freshet/model/bundle/bundles.kit.ts'
import { promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import { checkConservation, isConserved, type OracleReport, type Verdict } from '@freshet/oracle/oracle.ts'
import { groupName, rescoreGroup } from '@freshet/records/topics.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { freshet } from './freshet.ts'
import { Stack } from './stack.ts'
import { until } from './until.ts'

const DOCUMENTS = 3_000
/** Two heartbeats. */
const SILENT_SECONDS = 7

test('promotions and a rollback leave every score with the newest, whichever scorer dies while it scores again', {
  timeout: 600_000,
}, async () => {
  await using stack = await Stack.open({
    FRESHET_SCORER_RESCORE_SHARE: '0.01',
    FRESHET_MODEL_POINTER_INTERVAL_MS: '500',
    FRESHET_TELEMETRY_ENABLED: 'false',
  })
  const [first, second] = [stack.bundle, await otherVersion(stack.bundle)]
  await pushModel(stack.store, second)
  const promote = async ({ spec }: ModelBundle) =>
    (await promoteModel(stack.store, spec, Date.now())).generation
  stack.start('poller', 'scorer', 'scorer-2')
  await stack.write(await flights())
  await scoredWith(first, stack)

  await untilRescoring(stack, await promote(second))
  await stack.stop('scorer', 'SIGKILL')
  stack.start('scorer')
  await untilRescoring(stack, await promote(first)) // a rollback
  const zombie = stack.pidOf('scorer-2')
  process.kill(zombie, 'SIGSTOP')
  await promote(second)
  // When it goes on, another has its partitions.
  await until('no group counts on the zombie', async () => !(await isMember(stack, zombie)))
  process.kill(zombie, 'SIGCONT')
  await scoredWith(second, stack)

  await until('nothing is left', async () => (await figures(stack)).every(({ left }) => left === 0))
  const status = await freshet(['status'], stack.env)
  expect(status.stdout).not.toContain('scoring again')
})

async function flights(): Promise<Record<string, object>> {
  const some = (await readFlights()).slice(0, DOCUMENTS)
  return Object.fromEntries(some.map(({ document }, id) => [`${id}`, document]))
}

async function scoredWith(bundle: ModelBundle, stack: Stack): Promise<void> {
  const { client, settings, store } = stack
  let report: OracleReport | undefined
  await until(
    `every document has its score of version ${bundle.spec.version}`,
    async () => {
      report = await checkConservation({
        client,
        index: settings.elasticsearch.index,
        pipeline: settings.pipeline,
        redisUrl: settings.redis.url,
        store,
        bundle,
      })
      return report.liveDocuments === DOCUMENTS && isConserved(report)
    },
    {
      giveUpMs: 200_000,
      explain: () => JSON.stringify({ ...sizes(report), output: stack.output }),
    },
  )
}

/** Of the groups of fresh changes and of rescoring. @param pid of a scorer */
async function isMember({ settings }: Stack, pid: number): Promise<boolean> {
  const connection = connectKafka(settings.kafka, { clientId: 'test', log: quietLog })
  const groups = [groupName(settings.pipeline, 'infer'), rescoreGroup(settings.pipeline)]
  const asking = { doing: 'describing groups', signal: AbortSignal.timeout(20_000) }
  const described = await withAdmin(connection, asking, (admin) => admin.describeGroups(groups))
  return described.groups.some(({ members }) => members.some(({ clientId }) => clientId.endsWith(`-${pid}`)))
}

function sizes(report: OracleReport | undefined) {
  const of = (verdict?: Verdict) =>
    verdict && [verdict.missing.length, verdict.stale.length, verdict.extra.length]
  return { live: report?.liveDocuments, redis: of(report?.redis), snapshot: of(report?.snapshot) }
}

/** Some of it is done, and some is left. */
async function untilRescoring(stack: Stack, generation: number): Promise<void> {
  await until(
    `promotion ${generation} is being scored again`,
    async () =>
      (await figures(stack)).some((at) => at.generation === generation && at.left > 0 && at.left < at.total),
    { explain: () => JSON.stringify(stack.output) },
  )
}

/** What each living scorer says. */
async function figures({ env }: Stack) {
  const { stdout } = await freshet(['status', '--json'], env)
  const { instances } = JSON.parse(stdout) as {
    instances: { service: string; silentSeconds: number; metrics: Record<string, number> }[]
  }
  return instances
    .filter(({ service, silentSeconds }) => service === 'scorer' && silentSeconds < SILENT_SECONDS)
    .map(({ metrics }) => ({
      generation: metrics['freshet.rescore.generation']!,
      left: metrics['freshet.rescore.left']!,
      total: metrics['freshet.rescore.total']!,
    }))
}
