import type { Answer } from '@freshet/records/answer.ts'
import type { Reason } from '@freshet/records/reasons.ts'
import { defaultAnswer, type LadderRules, type Outcome, scoresOf } from '../ladder/stored-score-to-answer.ts'
import { bestOf } from './pool-order.ts'
import type { PoolScores } from './pool-scores.ts'
import type { Found } from './pool-source.ts'

/** A pool ranked: the best of it, and how it came about. */
export interface Ranking {
  readonly items: readonly Answer[]
  /** Documents that were ranked. */
  readonly size: number
  /** Documents of the pool that the model cannot score, or that have no key. */
  readonly unscorable: number
  readonly pool: {
    readonly source: 'elasticsearch' | 'last'
    /** When it was asked for, wall-clock milliseconds, */
    readonly seenAtMs: number
    /** and how long ago that was. */
    readonly ageMs: number
  }
  /** Whether anything in it is: the pool, or any of the items. */
  readonly degraded: boolean
  /** Of the whole, else of the first item that is. */
  readonly reason?: Answer['reason']
}

export interface Facts {
  /** Of the documents, in Elasticsearch's order. */
  readonly keys: readonly string[]
  /** Documents besides, that have none. */
  readonly keyless: number
  readonly found: Exclude<Found, { kind: 'none' }>
  readonly scores: PoolScores
  /** What the stores say of each key; left out where they were not asked. */
  readonly stored: readonly Outcome[] | undefined
}

interface Surroundings {
  readonly rules: LadderRules
  /** Of the model of now; its value is the answer's `score`. */
  readonly firstOutput: string | undefined
  readonly nowMs: number
}

/** What is known of one document. Its answer is made only when it is among the best. */
interface Candidate {
  /** NaN: it has no score, and comes last. */
  readonly value: number
  readonly isUnscorable: boolean
  readonly answer: () => Answer
}

/**
 * Of a document of a pool of now the live score counts, else the stored one. Of the last pool's documents, whichever saw
 * the document later: a store may have heard of a newer one, or of its end.
 */
export function rankingOf(
  facts: Facts,
  wanted: { readonly top: number; readonly by?: string | undefined; readonly order: 'desc' | 'asc' },
  surroundings: Surroundings,
): Ranking {
  const { found, scores } = facts
  const { seenAtMs } = found.pool
  const reason = found.reason ?? (scores.kind === 'unable' ? scores.reason : undefined)
  const chooser = new Chooser(facts, { by: wanted.by, reason, ...surroundings })
  const candidates = facts.keys.flatMap((_, place) => chooser.candidateAt(place) ?? [])
  const values = candidates.map(({ value }) => value)
  const unscorable = candidates.filter(({ isUnscorable }) => isUnscorable).length + facts.keyless
  const items = bestOf(values, wanted.top, wanted.order).map((place) => candidates[place]!.answer())
  return {
    items,
    size: candidates.length,
    unscorable,
    pool: {
      source: found.kind === 'fresh' ? 'elasticsearch' : 'last',
      seenAtMs,
      ageMs: Math.max(0, surroundings.nowMs - seenAtMs),
    },
    ...degradedFor(reason ?? items.find(({ degraded }) => degraded)?.reason),
  }
}

/** Chooses what speaks for each document. */
class Chooser {
  readonly #facts: Facts
  readonly #options: Surroundings & { readonly by: string | undefined; readonly reason: Reason | undefined }

  constructor(
    facts: Facts,
    options: Surroundings & { readonly by: string | undefined; readonly reason: Reason | undefined },
  ) {
    this.#facts = facts
    this.#options = options
  }

  /** undefined: the document is known to be gone. */
  candidateAt(place: number): Candidate | undefined {
    const { found, stored } = this.#facts
    const outcome = stored?.[place]
    if (outcome === undefined) return this.#live(place) ?? this.#without(place, 'unscorable')
    if (outcome.kind === 'absent') {
      if (outcome.why === 'deleted' && found.kind === 'last') return undefined
      return this.#live(place) ?? this.#without(place, 'score_missing')
    }
    const { answer } = outcome
    if (answer.source === 'default')
      return answer.reason === 'unscorable'
        ? this.#without(place, 'unscorable')
        : (this.#live(place) ?? this.#without(place, this.#options.reason ?? 'score_missing'))
    const isNewer = Date.parse(answer.as_of!) >= found.pool.seenAtMs
    return (isNewer ? undefined : this.#live(place)) ?? this.#stored(answer)
  }

  #live(place: number): Candidate | undefined {
    const { scores } = this.#facts
    const row = scores.kind === 'scored' ? scores.rows[place]! : -1
    if (scores.kind !== 'scored' || row === -1) return undefined
    const { outputs, columns } = scores
    const { by } = this.#options
    return {
      value: columns[by === undefined ? 0 : outputs.indexOf(by)]![row]!,
      isUnscorable: false,
      answer: () => this.#liveAnswer(place, scores, row),
    }
  }

  #liveAnswer(
    place: number,
    { model, outputs, columns }: PoolScores & { kind: 'scored' },
    row: number,
  ): Answer {
    const { reason, nowMs } = this.#options
    const { seenAtMs } = this.#facts.found.pool
    return {
      key: this.#facts.keys[place]!,
      ...scoresOf(Object.fromEntries(outputs.map((name, at) => [name, columns[at]![row]!]))),
      source: 'live',
      age_ms: Math.max(0, nowMs - seenAtMs),
      as_of: new Date(seenAtMs).toISOString(),
      model,
      ...degradedFor(reason),
    }
  }

  #stored(answer: Answer): Candidate {
    const { by, firstOutput, reason } = this.#options
    const isFirst = by === undefined || by === firstOutput || answer.scores === undefined
    const value = isFirst ? answer.score : answer.scores?.[by]
    return {
      value: value ?? Number.NaN,
      isUnscorable: false,
      answer: () => ({ ...answer, ...degradedFor(reason) }),
    }
  }

  #without(place: number, reason: Reason): Candidate {
    const { rules } = this.#options
    return {
      value: Number.NaN,
      isUnscorable: reason === 'unscorable',
      answer: () => defaultAnswer(this.#facts.keys[place]!, reason, rules).answer,
    }
  }
}

function degradedFor(reason: Answer['reason']): Pick<Answer, 'degraded' | 'reason'> {
  return reason === undefined ? { degraded: false } : { degraded: true, reason }
}
