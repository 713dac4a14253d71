/** Facts of a pipeline that is well, and how to make them worse. */
import { settingsSchema } from '@freshet/config/schema.ts'
import type { Finding } from '@freshet/records/alert-state.ts'
import type { Facts, GroupFacts, InstanceFacts, ShardFacts } from '@freshet/records/facts.ts'
import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import { judge, type RuleBook } from './judge.ts'

export const NOW_MS = 10_000_000
/** As the settings have them where nobody says otherwise. */
export const BOOK: RuleBook = settingsSchema.parse({}).watchdog.rules

type GroupPartition = GroupFacts['partitions'][number]

export function partition(worse: Partial<GroupPartition> = {}): GroupPartition {
  const calm = {
    partition: 0,
    committedOffset: 20,
    endOffset: 20,
    lagRecords: 0,
    lagSeconds: 0,
    standsSeconds: 0,
  }
  return { ...calm, ...worse }
}

export function group(worker: string, worse: Partial<GroupFacts> = {}): GroupFacts {
  const topic = worker === 'infer' ? 'air.changes' : 'air.scores'
  return { worker, groupId: `air-${worker}`, topic, members: 1, partitions: [partition()], ...worse }
}

/** @param said.silentSeconds since its last heartbeat */
export function instance(
  name: string,
  said: Partial<Heartbeat> & { readonly silentSeconds?: number; readonly nowMs?: number } = {},
  grown: Partial<Pick<InstanceFacts, 'perSecond' | 'lastMinute' | 'lastFiveMinutes'>> = {},
): InstanceFacts {
  const { silentSeconds = 1, nowMs = NOW_MS, ...heartbeat } = said
  const heardAtMs = nowMs - silentSeconds * 1_000
  const still = { seconds: 60, by: {} }
  return {
    heardAtMs,
    heartbeat: {
      ...{ version: 1, service: name.split('-')[0]!, instance: name, startedAtMs: 0, atMs: heardAtMs },
      ...{ status: 'running', progress: {}, metrics: {}, model: null, lastError: null, lastErrorAtMs: null },
      ...heartbeat,
    },
    perSecond: {},
    lastMinute: still,
    lastFiveMinutes: still,
    ...grown,
  }
}

/** One whose worker says that it fails. */
export function failingInstance(
  name: string,
  worker: string,
  error: string,
  said: Partial<Heartbeat> = {},
): InstanceFacts {
  return instance(name, {
    status: 'failing',
    failing: [{ worker, error, atMs: NOW_MS }],
    lastError: error,
    ...said,
  })
}

export function shard(worse: Partial<ShardFacts> = {}): ShardFacts {
  return {
    ...{
      index: 'flights',
      indexUuid: 'u',
      shard: 0,
      checkpoint: 99,
      cursorSeqNo: 99,
      epoch: 5,
      primaryTerm: 1,
    },
    ...{ behind: 0, behindSeconds: 0, standsSeconds: 0 },
    ...worse,
  }
}

/** Its capture with these shards. */
export function capture(...shards: readonly ShardFacts[]): Facts['capture'] {
  return { seenAtMs: NOW_MS, value: { shards: [...shards], unreadCursors: 0, unreadSeconds: 0 }, fault: null }
}

const SERVICES = ['poller-1', 'scorer-1', 'gateway-1', 'watchdog-1'] as const

export function facts(worse: Partial<Facts> = {}): Facts {
  return {
    version: 1,
    pipeline: 'air',
    seenBy: 'watchdog-1',
    atMs: NOW_MS,
    captureMode: 'seqNo',
    snapshotIntervalSeconds: 60,
    kafka: { answersSinceMs: 0, fault: null },
    groups: ['infer', 'cache', 'snapshot'].map((worker) => group(worker)),
    instances: SERVICES.map((name) => instance(name)),
    capture: capture(shard()),
    snapshot: {
      seenAtMs: NOW_MS,
      value: {
        ...{
          sequence: 7,
          writtenAtMs: NOW_MS - 30_000,
          writtenBy: 'scorer-1',
          rows: 10,
          bytes: 100,
          files: 1,
        },
        partitions: [{ partition: 0, nextOffset: 20, deltas: 1, writtenAtMs: NOW_MS - 30_000 }],
      },
      fault: null,
    },
    model: { seenAtMs: NOW_MS, value: { promoted: 'delay@4', generation: 4, promotedAtMs: 1 }, fault: null },
    redis: { seenAtMs: NOW_MS, value: {}, fault: null },
    ...worse,
  }
}

/** These in place of those of the same name, and in addition to the others. */
export function withInstances(...others: readonly InstanceFacts[]): InstanceFacts[] {
  const names = new Set(others.map(({ heartbeat }) => heartbeat.instance))
  return [...SERVICES.filter((name) => !names.has(name)).map((name) => instance(name)), ...others]
}

/** The same facts, so many seconds ago. */
export function ago(seconds: number, worse: Partial<Facts> = {}): Facts {
  return facts({ atMs: NOW_MS - seconds * 1_000, ...worse })
}

/** What the rules of the default settings say. */
export function findings(now: Facts, earlier: readonly Facts[] = []): readonly Finding[] {
  return judge(now, earlier, BOOK).findings
}

export function fault(error: string, sinceSeconds = 20): { sinceMs: number; error: string } {
  return { sinceMs: NOW_MS - sinceSeconds * 1_000, error }
}
