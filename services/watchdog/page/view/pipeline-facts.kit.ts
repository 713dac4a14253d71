/** A pipeline at work, as a watchdog sees it: for tests of what the page makes of it. */
import { settingsSchema } from '@freshet/config/schema.ts'
import type { Alert, Finding } from '@freshet/records/alert-state.ts'
import type { Facts, InstanceFacts, ShardFacts } from '@freshet/records/facts.ts'
import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import { GaugeHistory } from './gauge-history.ts'
import { HISTORY, type PageInput } from './to-page-state.ts'

export const NOW_MS = Date.UTC(2026, 2, 14, 15, 9, 26)

export function instance(
  name: string,
  {
    perSecond = {},
    ...heartbeat
  }: Partial<Heartbeat> & { readonly perSecond?: Readonly<Record<string, number>> } = {},
): InstanceFacts {
  const [service = ''] = name.split('-', 1)
  const by = (seconds: number) =>
    Object.fromEntries(Object.entries(perSecond).map(([entry, rate]) => [entry, Math.round(rate * seconds)]))
  return {
    heartbeat: {
      version: 1,
      service,
      instance: name,
      startedAtMs: NOW_MS - 7_400_000,
      atMs: NOW_MS - 1_200,
      status: 'running',
      progress: {},
      metrics: {},
      model: null,
      lastError: null,
      lastErrorAtMs: null,
      ...heartbeat,
    },
    heardAtMs: heartbeat.atMs ?? NOW_MS - 1_200,
    perSecond: { ...perSecond },
    lastMinute: { seconds: 60, by: by(60) },
    lastFiveMinutes: { seconds: 300, by: by(300) },
  }
}

export function shard(number: number, { behind = 0, ...more }: Partial<ShardFacts> = {}): ShardFacts {
  const checkpoint = more.checkpoint ?? 1_482_311 + 977 * number
  return {
    index: 'flights',
    indexUuid: 'q9Yd2',
    shard: number,
    checkpoint,
    cursorSeqNo: checkpoint - behind,
    epoch: 1,
    primaryTerm: 1,
    behind,
    behindSeconds: behind === 0 ? 0 : 0.4,
    standsSeconds: 0,
    ...more,
  }
}

function group(worker: string, topic: string, lagSeconds: readonly number[]): Facts['groups'][number] {
  return {
    worker,
    groupId: `flights-${worker}`,
    topic: `flights.${topic}`,
    members: worker === 'snapshot' ? 1 : 2,
    partitions: lagSeconds.map((seconds, partition) => ({
      partition,
      committedOffset: 900_000 + 1_013 * partition - Math.round(seconds * 40),
      endOffset: 900_000 + 1_013 * partition,
      lagRecords: Math.round(seconds * 40),
      lagSeconds: seconds,
      standsSeconds: 0,
    })),
  }
}

const seen = <T>(value: T) => ({ seenAtMs: NOW_MS - 4_000, value, fault: null })

/** @param late seconds that the group of infer is behind, on its first partition */
export function pipelineFacts(changes: Partial<Facts> = {}, { late = 0.3 } = {}): Facts {
  return {
    version: 1,
    pipeline: 'flights',
    seenBy: 'watchdog-box-1',
    atMs: NOW_MS,
    captureMode: 'seqNo',
    snapshotIntervalSeconds: 60,
    kafka: { answersSinceMs: NOW_MS - 7_000_000, fault: null },
    groups: [
      group('infer', 'changes', [late, 0.2, 0, 0, 0.2, 0, 0, 0]),
      group('cache', 'scores', [0.2, 0, 0, 0, 0, 0.2, 0, 0]),
      group('snapshot', 'scores', [24, 24, 23, 22, 24, 23, 24, 22]),
    ],
    instances: [
      instance('poller-box-311', {
        perSecond: { 'freshet.poller.changes': 1_243 },
        metrics: { 'freshet.poller.shards': 5, 'freshet.sweep.swept_at': NOW_MS / 1_000 - 4_000 },
      }),
      ...['scorer-box-312', 'scorer-box-313'].map((name, at) =>
        instance(name, {
          model: 'arrival_delay@7',
          perSecond: {
            'freshet.scorer.scored': 640 - 40 * at,
            'freshet.cache.rows': 600 + 45 * at,
            'freshet.snapshot.rows': at === 0 ? 1_190 : 0,
          },
          metrics: { 'freshet.cache.freshness.p50': 0.42, 'freshet.cache.freshness.p99': 1.3 + 0.2 * at },
        }),
      ),
      instance('gateway-box-314', {
        model: 'arrival_delay@7',
        perSecond: {
          'freshet.answers.live': 3.2,
          'freshet.answers.cache': 304,
          'freshet.answers.snapshot': 4.1,
          'freshet.answers.default': 0.4,
        },
        metrics: {
          'freshet.gateway.snapshot.sequence': 1_482,
          'freshet.gateway.snapshot.age': 31,
          'freshet.gateway.snapshot.keys': 2_410_332,
          'freshet.gateway.snapshot.memory': 131_000_000,
        },
      }),
      instance('watchdog-box-315'),
    ],
    capture: seen({
      shards: [0, 1, 2, 3, 4].map((number) => shard(number, { behind: number === 2 ? 312 : 0 })),
      unreadCursors: 0,
      unreadSeconds: 0,
    }),
    snapshot: seen({
      sequence: 1_482,
      writtenAtMs: NOW_MS - 31_000,
      writtenBy: 'scorer-box-312',
      rows: 2_410_332,
      bytes: 83_400_000,
      files: 23,
      partitions: [0, 1, 2, 3, 4, 5, 6, 7].map((partition) => ({
        partition,
        nextOffset: 900_000,
        deltas: 2,
        writtenAtMs: NOW_MS - 31_000,
      })),
    }),
    model: seen({ promoted: 'arrival_delay@7', generation: 7, promotedAtMs: NOW_MS - 93_600_000 }),
    redis: seen({}),
    ...changes,
  }
}

export function finding(changes: Partial<Finding> = {}): Finding {
  return {
    id: 'lag/flights-infer',
    kind: 'lag',
    severity: 'critical',
    forSeconds: 10,
    title: 'flights-infer is 4 min behind',
    details: { Topic: 'flights.changes', Behind: '4 min, 240,112 records', Partitions: '1 of 8: 0' },
    measure: { value: 241, unit: 's', threshold: 60 },
    advice: { effect: 'scores grow old', firstLook: '`freshet status`' },
    ...changes,
  }
}

export function firing(changes: Partial<Finding> = {}): Extract<Alert, { phase: 'firing' }> {
  return {
    phase: 'firing',
    finding: finding(changes),
    sinceMs: NOW_MS - 190_000,
    measures: [62, 70, 81, 95, 110, 121, 140, 162, 180, 201, 222, 241],
    openings: [NOW_MS - 180_000],
    flapping: false,
    toldAtMs: NOW_MS - 180_000,
    heldBack: null,
    goodSinceMs: null,
  }
}

export function pageInput(changes: Partial<PageInput> = {}): PageInput {
  return {
    settings: settingsSchema.parse({ pipeline: 'flights' }),
    watcher: { instance: 'watchdog-box-315', speaks: true },
    nowMs: NOW_MS,
    facts: pipelineFacts(),
    alerts: [],
    orders: [],
    gauges: new GaugeHistory(HISTORY),
    ...changes,
  }
}
