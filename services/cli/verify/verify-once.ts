import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { scopeOf } from '@freshet/capture/scope.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { readPointer } from '@freshet/model/bundle/pointer-store.ts'
import { type VerifyOptions, verify } from '@freshet/reconcile/verify.ts'
import { isComplete, totalOf, type VerifyReport } from '@freshet/reconcile/verify-report.ts'
import { lookSignal } from '@freshet/reconcile/verify-waits.ts'
import type { VerifyWorld } from '@freshet/reconcile/verify-world.ts'
import type { ModelIdentity } from '@freshet/records/score-batch.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'

const PRODUCE_DEADLINE_MS = 60_000

export interface OpenWorld extends AsyncDisposable {
  readonly world: VerifyWorld
}

/** Connects to all that a verification looks at. */
export function openWorld(
  settings: Settings,
  { clientId, log, onProgress }: { clientId: string; log: Log; onProgress: VerifyWorld['onProgress'] },
): OpenWorld {
  const stack = new AsyncDisposableStack()
  const connection = connectKafka(settings.kafka, { clientId, log })
  const world: VerifyWorld = {
    settings,
    scope: scopeOf(settings.elasticsearch),
    client: stack.use(connectElasticsearch(settings.elasticsearch)),
    connection,
    store: stack.use(openS3(settings.s3)),
    producer: stack.use(
      new Producer(connection, { clock: systemClock, log, deadlineMs: PRODUCE_DEADLINE_MS }),
    ),
    clock: systemClock,
    onProgress,
  }
  return { world, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** What was promoted while it ran is no row ahead of the pointer: then all is looked at once more. */
export async function verifyOnce(
  world: VerifyWorld,
  options: Omit<VerifyOptions, 'model'>,
  signal: AbortSignal,
): Promise<VerifyReport> {
  const model = await promotedModel(world, lookSignal(options.waitMs, signal))
  const report = await verifyAndRepair(world, { ...options, model }, signal)
  if (totalOf(report).newerModel === 0) return report
  const now = await promotedModel(world, lookSignal(options.waitMs, signal))
  if (now === null || now.generation < report.newestGeneration) return report
  const again = await verify(world, { ...options, model: now, repair: false }, signal)
  return { ...again, repair: report.repair }
}

/** A repair is over when a second look has found all well, or what it could not mend. */
async function verifyAndRepair(
  world: VerifyWorld,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<VerifyReport> {
  const first = await verify(world, options, signal)
  if (first.repair === null || isComplete(first)) return first
  const second = await verify(world, { ...options, repair: false }, signal)
  return { ...second, repair: first.repair }
}

async function promotedModel({ store }: VerifyWorld, signal: AbortSignal): Promise<ModelIdentity | null> {
  const pointer = await readPointer(store, signal)
  if (pointer === null) return null
  const { name, modelVersion: version, generation } = pointer
  return { name, version, generation }
}
