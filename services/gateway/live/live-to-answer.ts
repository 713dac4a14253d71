import type { Answer } from '@freshet/records/answer.ts'
import { isoMoment } from '@freshet/records/iso-moment.ts'
import { scoresOf } from '../ladder/stored-score-to-answer.ts'
import type { Live } from './live-rung.ts'

/** (2→6) What a caller gets for a document that was scored just now. */
export function liveAnswer(key: string | null, scored: Live & { kind: 'scored' }, nowMs: number): Answer {
  return {
    key,
    ...scoresOf(scored.outputs),
    source: 'live',
    age_ms: 0,
    as_of: isoMoment(nowMs),
    model: scored.model,
    degraded: false,
  }
}
