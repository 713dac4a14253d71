import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@elastic/elasticsearch'
import type { Settings } from '@freshet/config/schema.ts'
import type { ModelBundle } from '@freshet/model/bundle/bundle.ts'
import { checkConservation, isConserved, type OracleReport } from '@freshet/oracle/oracle.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'

const GIVE_UP_MS = 180_000
const ASK_EVERY_MS = 2_000

export interface ProofOptions {
  readonly client: Client
  readonly index: string
  readonly settings: Settings
  readonly store: ObjectStore
  readonly bundle: ModelBundle
  readonly signal: AbortSignal
}

export interface Proof {
  readonly snapshotRows: number
  /** Documents that Redis or the snapshot lacks, has wrong, or should not have. */
  readonly missing: number
  readonly stale: number
  readonly extra: number
}

/** Asks the oracle until nothing is missing, stale or extra, or patience ends. */
export async function prove({
  client,
  index,
  settings,
  store,
  bundle,
  signal,
}: ProofOptions): Promise<Proof> {
  const { pipeline } = settings
  const giveUpAtMs = performance.now() + GIVE_UP_MS
  for (;;) {
    const report = await checkConservation({
      client,
      index,
      pipeline,
      redisUrl: settings.redis.url,
      store,
      bundle,
    })
    if (isConserved(report) || performance.now() > giveUpAtMs || signal.aborted) return summarise(report)
    await sleep(ASK_EVERY_MS)
  }
}

function summarise({ redis, snapshot, snapshotRows }: OracleReport): Proof {
  const count = (name: 'missing' | 'stale' | 'extra') => new Set([...redis[name], ...snapshot[name]]).size
  return { snapshotRows, missing: count('missing'), stale: count('stale'), extra: count('extra') }
}
