import { FreshetError } from '@freshet/errors/errors.ts'
import { isMoment } from './moment.ts'
import { decodeRank, RANK_LENGTH, type Rank } from './revision.ts'
import { isModelLabel, keyAt, modelLabel, ROW_STATES, type RowState, stateAt } from './score-batch.ts'
import { decodeShortRank, encodeShortRank } from './short-rank.ts'
import type { StoredRows } from './stored-rows.ts'

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

export function storedScoreOf(rows: StoredRows, row: number): StoredScore {
  const modelGeneration = rows.modelGenerations[row]!
  const model = rows.schema.models.get(modelGeneration)!
  const state = stateAt(rows, row)
  return {
    key: keyAt(rows, row).toString(),
    rank: {
      revision: {
        documentVersion: rows.documentVersions[row]!,
        epoch: rows.epochs[row]!,
        primaryTerm: rows.primaryTerms[row]!,
        seqNo: rows.seqNos[row]!,
      },
      modelGeneration,
    },
    state,
    outputs: state === 'scored' ? outputsOf(rows, row, model.outputs) : {},
    asOfMs: rows.asOfMs[row]!,
    scoredAtMs: rows.scoredAtMs[row]!,
    model: modelLabel(model),
  }
}

function outputsOf(
  { schema, outputs }: StoredRows,
  row: number,
  names: readonly string[],
): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, outputs[schema.outputs.indexOf(name)]![row]!]))
}

/**
 * Version 2 of the Redis value, one line that a person can read with redis-cli:
 *
 *     2<rank> <as of, ms since 1970> +<ms until it was scored> <model@version> {"output":score}
 *
 * with `deleted` or `unscorable` in place of the scores. The rank stands first, so that a script inside Redis can compare
 * it without parsing the rest.
 *
 * This encodes one score, plainly; what writes many (stored-score-writer.ts) is held against it.
 */
export function encodeStoredScore({ rank, state, outputs, asOfMs, scoredAtMs, model }: StoredScore): string {
  const laterMs = scoredAtMs - asOfMs
  const body = state === 'scored' ? JSON.stringify(outputs) : state
  return `${STORED_SCORE_VERSION}${encodeShortRank(rank)} ${asOfMs} ${laterMs < 0 ? '' : '+'}${laterMs} ${model} ${body}`
}

/** Of version 1, whose rank had a fixed width, this is 0 or 1: the first digit of a number below 2^53. */
export const STORED_SCORE_VERSION = '2'

/** @throws RECORD_VERSION, RECORD_MALFORMED */
export function decodeStoredScore(key: string, text: string): StoredScore {
  const version = text[0]
  if (version === STORED_SCORE_VERSION) return decodeLine(key, text)
  if (version === '0' || version === '1') return decodeVersion1(key, text)
  if (version === undefined || !/[3-9]/.test(version)) throw malformed(key)
  throw new FreshetError('RECORD_VERSION', `stored score version ${version}, this build reads 1 and 2`)
}

function decodeLine(key: string, text: string): StoredScore {
  const parts = LINE.exec(text)
  if (parts === null) throw malformed(key)
  const [, rank, asOf, later, model, body] = parts as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  const asOfMs = Number(asOf)
  const scoredAtMs = asOfMs + Number(later)
  if (!isMoment(asOfMs) || !isMoment(scoredAtMs)) throw malformed(key)
  const isScored = body.startsWith('{')
  return {
    key,
    rank: decodeShortRank(rank),
    state: isScored ? 'scored' : (body as RowState),
    outputs: isScored ? parseScores(key, body) : {},
    asOfMs,
    scoredAtMs,
    model,
  }
}

const LINE = /^2(\w+) (\d+) ([+-]\d+) (\S+) (\{.*\}|deleted|unscorable)$/s

function parseScores(key: string, json: string): Readonly<Record<string, number>> {
  let scores: unknown
  try {
    scores = JSON.parse(json)
  } catch (cause) {
    throw malformed(key, cause)
  }
  if (areScores(scores)) return scores
  throw malformed(key)
}

/** null stands for what is no number in JSON. */
function areScores(value: unknown): value is Record<string, number> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  for (const name in value) {
    const score = (value as Record<string, unknown>)[name]
    if (score !== null && !Number.isFinite(score)) return false
  }
  return true
}

function malformed(key: string, cause?: unknown): FreshetError {
  return new FreshetError('RECORD_MALFORMED', `the stored score of ${key} has another shape`, { cause })
}

/** Version 1: the rank in its fixed width, then JSON. */
function decodeVersion1(key: string, text: string): StoredScore {
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
  if (typeof body?.v !== 'number') throw malformed(key)
  if (body.v !== 1)
    throw new FreshetError('RECORD_VERSION', `stored score version ${body.v}, this build reads 1 and 2`)
  const { state, outputs, as_of, scored_at, model } = body
  const areTimes = isMoment(as_of) && isMoment(scored_at)
  if (!ROW_STATES.includes(state) || !areScores(outputs) || !areTimes || !isModelLabel(model))
    throw malformed(key)
  return body
}
