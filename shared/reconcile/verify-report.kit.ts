import { emptyTally, type ShardReport, type Tally, type VerifyReport } from './verify-report.ts'

/** Of a proof that found nothing to tell, where a test says nothing else. */
export function verifyReport(parts: Partial<VerifyReport> = {}): VerifyReport {
  return {
    pipeline: 'air',
    model: { name: 'flight-delay', version: '3', generation: 4 },
    newestGeneration: 4,
    startedAtMs: 0,
    endedAtMs: 1_000,
    isSettled: true,
    shards: [],
    extraOfTheDead: 0,
    findings: [],
    beyondRepair: 0,
    unreadable: [],
    closed: [],
    gone: [],
    repair: null,
    ...parts,
  }
}

export function shardReport(index: string, shard: number, tally: Partial<Tally>): ShardReport {
  return { index, shard, checkpoint: 99, cursor: 99, ...emptyTally(), ...tally }
}
