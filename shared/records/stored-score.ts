import { FreshetError } from '@freshet/errors/errors.ts'
import { decodeRank, encodeRank, RANK_LENGTH, type Rank } from './revision.ts'
import {
  keyAt,
  modelLabel,
  ROW_STATES,
  type RowState,
  rankAt,
  type ScoreBatch,
  stateAt,
} from './score-batch.ts'

/** (5) What a store keeps of one key: the last word on it, a score or the reason why there is none. */
export interface StoredScore {
  readonly key: string
  readonly rank: Rank
  readonly state: RowState
  /** Score by output name; empty unless `scored`. */
  readonly outputs: Readonly<Record<string, number>>
  /** When the poller saw the document, wall-clock milliseconds. */
  readonly asOfMs: number
  readonly scoredAtMs: number
  /** `name@version` of the model. */
  readonly model: string
}

export function storedScoreAt(batch: ScoreBatch, row: number): StoredScore {
  const { header, rows } = batch
  const state = stateAt(rows, row)
  return {
    key: keyAt(rows, row).toString(),
    rank: rankAt(batch, row),
    state,
    outputs:
      state === 'scored'
        ? Object.fromEntries(header.outputs.map((name, i) => [name, rows.outputs[i]![row]!]))
        : {},
    asOfMs: rows.asOfMs[row]!,
    scoredAtMs: header.scoredAtMs,
    model: modelLabel(header.model),
  }
}

/**
 * Version 1 of the Redis value: the rank as text, then JSON that a person can read with redis-cli. The rank stands
 * first so that a script inside Redis can compare it as a plain prefix.
 */
export function encodeStoredScore(score: StoredScore): string {
  const { state, outputs, asOfMs, scoredAtMs, model } = score
  return `${encodeRank(score.rank)}${JSON.stringify({ v: 1, state, outputs, as_of: asOfMs, scored_at: scoredAtMs, model })}`
}

/** @throws RECORD_VERSION, RECORD_MALFORMED */
export function decodeStoredScore(key: string, text: string): StoredScore {
  const rank = decodeRank(text.slice(0, RANK_LENGTH))
  const body = parseBody(key, text.slice(RANK_LENGTH))
  return {
    key,
    rank,
    state: body.state,
    outputs: body.outputs,
    asOfMs: body.as_of,
    scoredAtMs: body.scored_at,
    model: body.model,
  }
}

interface Body {
  readonly v: number
  readonly state: RowState
  readonly outputs: Readonly<Record<string, number>>
  readonly as_of: number
  readonly scored_at: number
  readonly model: string
}

function parseBody(key: string, json: string): Body {
  let body: Body | null
  try {
    body = JSON.parse(json) as Body | null
  } catch (cause) {
    throw new FreshetError('RECORD_MALFORMED', `the stored score of ${key} is not JSON`, { cause })
  }
  if (body?.v !== 1)
    throw new FreshetError('RECORD_VERSION', `stored score version ${body?.v}, this build reads 1`)
  if (!ROW_STATES.includes(body.state) || !isObject(body.outputs) || typeof body.as_of !== 'number')
    throw new FreshetError('RECORD_MALFORMED', `the stored score of ${key} has another shape`)
  return body
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
