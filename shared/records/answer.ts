import type { Reason } from './reasons.ts'

/** (6) What a caller of the gateway gets. Field names are the JSON's. */
export const ANSWER_SOURCES = ['live', 'cache', 'snapshot', 'default'] as const
export type AnswerSource = (typeof ANSWER_SOURCES)[number]

export interface Answer {
  readonly key: string | null
  /** The model's first output; null when even the default is not configured. */
  readonly score: number | null
  /** Every output by name, when the model has more than one. */
  readonly scores?: Readonly<Record<string, number>> | undefined
  readonly source: AnswerSource
  /** Milliseconds since the document was seen as it was scored; null for a default. */
  readonly age_ms: number | null
  /** The same moment, ISO 8601. */
  readonly as_of: string | null
  /** `name@version`; null for a default. */
  readonly model: string | null
  /** True when a better source should have answered and could not. */
  readonly degraded: boolean
  /** Why, when degraded. */
  readonly reason?: Reason | undefined
}
