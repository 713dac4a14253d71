import type { Answer } from '@freshet/records/answer.ts'
import { isoMoment } from '@freshet/records/iso-moment.ts'
import type { Reason } from '@freshet/records/reasons.ts'
import { compareRanks, type Rank } from '@freshet/records/revision.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import type { Said } from './said.ts'

/** What a caller gets for a key: an answer, or the certainty that there is none. */
export type Outcome =
  | {
      readonly kind: 'answer'
      readonly answer: Answer
      /** Of the stored score that it is made of. */
      readonly rank?: Rank
      /** When the best source was given up, on the monotonic clock. */
      fellBackAtMs?: number
    }
  | { readonly kind: 'absent'; readonly why: 'unknown' | 'deleted' }

export interface LadderRules {
  /** Score when no store has one. */
  readonly default: number | null
  /** The cache forgets nothing: what it does not have, but the snapshot has, was lost. */
  readonly cacheKeepsAll: boolean
}

/**
 * (5→6) Of both stores the higher rank speaks, on a tie the cache. Absent is only what a store says is deleted, or what
 * both have looked for and not found; whoever could not be asked may have had it.
 */
export function answerFrom(
  key: string,
  said: { readonly cache: Said; readonly snapshot: Said },
  rules: LadderRules,
  nowMs: number,
): Outcome {
  const { cache, snapshot } = said
  if (cache.kind !== 'has' && snapshot.kind !== 'has') return nothingFound(key, cache, snapshot, rules)
  const snapshotSpeaks =
    snapshot.kind === 'has' &&
    (cache.kind !== 'has' || compareRanks(snapshot.score.rank, cache.score.rank) > 0)
  const { score } = (snapshotSpeaks ? snapshot : cache) as { score: StoredScore }
  if (score.state === 'deleted') return { kind: 'absent', why: 'deleted' }
  if (score.state === 'unscorable') return defaultAnswer(key, 'unscorable', rules)
  const reason = snapshotSpeaks ? whyNotTheCache(cache, rules) : undefined
  const answer = scoredAnswer(key, score, snapshotSpeaks, reason, nowMs)
  return { kind: 'answer', answer, rank: score.rank }
}

/** The configured score, and why there is no better one. */
export function defaultAnswer(
  key: string | null,
  reason: Reason,
  rules: LadderRules,
): Outcome & { readonly kind: 'answer' } {
  return {
    kind: 'answer',
    answer: {
      key,
      score: rules.default,
      source: 'default',
      age_ms: null,
      as_of: null,
      model: null,
      degraded: true,
      reason,
    },
  }
}

function nothingFound(key: string, cache: Said, snapshot: Said, rules: LadderRules): Outcome {
  if (cache.kind === 'was not heard') return defaultAnswer(key, cache.reason, rules)
  if (snapshot.kind === 'was not heard') return defaultAnswer(key, snapshot.reason, rules)
  return { kind: 'absent', why: 'unknown' }
}

function whyNotTheCache(cache: Said, { cacheKeepsAll }: LadderRules): Reason | undefined {
  switch (cache.kind) {
    case 'has':
      return 'cache_behind'
    case 'has nothing':
      return cacheKeepsAll ? 'cache_missing' : undefined
    case 'was not heard':
      return cache.reason
  }
}

function scoredAnswer(
  key: string,
  { outputs, asOfMs, model }: StoredScore,
  fromSnapshot: boolean,
  reason: Reason | undefined,
  nowMs: number,
): Answer {
  const { score, scores } = scoresOf(outputs)
  return {
    key,
    score,
    scores,
    source: fromSnapshot ? 'snapshot' : 'cache',
    age_ms: Math.max(0, nowMs - asOfMs),
    as_of: isoMoment(asOfMs),
    model,
    degraded: reason !== undefined,
    reason,
  }
}

/** The first output as the score, and all of them when there are several. */
export function scoresOf(outputs: Readonly<Record<string, number>>): Pick<Answer, 'score' | 'scores'> {
  let score: number | null = null
  let count = 0
  for (const name in outputs) if (count++ === 0) score = outputs[name]!
  return { score, scores: count > 1 ? outputs : undefined }
}
