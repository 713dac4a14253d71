/** What callers are answered from: the snapshot, and how answers come about. */
import { ANSWER_SOURCES } from '@freshet/records/answer.ts'
import type { Facts } from '@freshet/records/facts.ts'
import { degradedFor } from '../../degraded-answers.ts'
import type { GatewayState, SnapshotState } from './page-state.ts'
import type { Seen } from './seen.ts'

export function snapshotState(facts: Facts | null, seen: Seen): SnapshotState {
  const manifest = facts?.snapshot.value ?? null
  return {
    manifest:
      manifest === null || manifest.sequence === 0
        ? null
        : {
            commit: manifest.sequence,
            writtenAtMs: manifest.writtenAtMs,
            writtenBy: manifest.writtenBy,
            rows: manifest.rows,
            bytes: manifest.bytes,
            files: manifest.files,
            deltas: manifest.partitions.reduce((sum, { deltas }) => sum + deltas, 0),
          },
    held: seen.living('gateway').map(({ heartbeat: { instance, metrics } }) => ({
      instance,
      commit: metrics['freshet.gateway.snapshot.sequence'] ?? 0,
      behindCommits: metrics['freshet.gateway.snapshot.behind'] ?? 0,
      ageSeconds: metrics['freshet.gateway.snapshot.age'] ?? 0,
      keys: metrics['freshet.gateway.snapshot.keys'] ?? 0,
      memoryBytes: metrics['freshet.gateway.snapshot.memory'] ?? 0,
    })),
  }
}

export function gatewayState(seen: Seen): GatewayState {
  const sources = ANSWER_SOURCES.map((source) => ({
    source,
    perSecond: seen.perSecond(`freshet.answers.${source}`),
    answers: seen.lastFiveMinutes(`freshet.answers.${source}`),
  }))
  const all = sources.reduce((sum, { answers }) => sum + answers, 0)
  return {
    perSecond: sources.reduce((sum, { perSecond }) => sum + perSecond, 0),
    sources: sources.map((source) => ({ ...source, share: all === 0 ? 0 : source.answers / all })),
    degradedAnswers: seen.degradedAnswers(),
    degradedFor: degradedFor((counter) => seen.lastFiveMinutes(counter)),
    lateAnswers: seen.lastFiveMinutes('freshet.answers.late'),
    refusedRequests: seen.lastFiveMinutes('freshet.requests.refused'),
  }
}
