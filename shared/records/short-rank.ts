/**
 * A rank as short text that sorts as the rank does, byte by byte and in every locale: each number in lower-case hex
 * without leading zeros, and before it how many digits it has, so that a longer number is a higher one. A rank of a
 * common pipeline takes some 24 characters where the fixed width of `encodeRank` takes 50. No rank is the beginning of
 * another, so whatever follows it never decides.
 */
import { FreshetError } from '@freshet/errors/errors.ts'
import { MAX_EPOCH, MAX_MODEL_GENERATION, MAX_PRIMARY_TERM, type Rank, type Revision } from './revision.ts'

type Lineage = Omit<Revision, 'seqNo'>

export function encodeShortRank({ revision, modelGeneration }: Rank): string {
  return shortLineage(revision) + shortNumber(revision.seqNo) + shortNumber(modelGeneration)
}

/** What many rows of a batch have in common: the beginning of their ranks. */
export function shortLineage({ documentVersion, epoch, primaryTerm }: Lineage): string {
  return shortNumber(documentVersion) + shortNumber(epoch) + shortNumber(primaryTerm)
}

export function shortNumber(value: number): string {
  if (value === 0) return '0'
  if (!Number.isSafeInteger(value) || value < 0)
    throw new FreshetError('RECORD_MALFORMED', `${value} is no number of a rank`)
  const digits = value.toString(16)
  return digits.length.toString(16) + digits
}

/** @throws RECORD_MALFORMED, also for what would be written otherwise: two texts of one rank would not be a tie. */
export function decodeShortRank(text: string): Rank {
  const reader = { text, at: 0 }
  const documentVersion = next(reader, Number.MAX_SAFE_INTEGER)
  const epoch = next(reader, MAX_EPOCH)
  const primaryTerm = next(reader, MAX_PRIMARY_TERM)
  const seqNo = next(reader, Number.MAX_SAFE_INTEGER)
  const modelGeneration = next(reader, MAX_MODEL_GENERATION)
  if (reader.at !== text.length) throw noRank(text)
  return { revision: { documentVersion, epoch, primaryTerm, seqNo }, modelGeneration }
}

/** Digit by digit, without a text for each number: every answer from Redis reads a rank. */
function next(reader: { readonly text: string; at: number }, max: number): number {
  const { text, at } = reader
  const length = digitAt(text, at)
  let value = 0
  for (let i = 1; i <= length; i++) value = value * 16 + digitAt(text, at + i)
  const hasLeadingZero = length > 0 && text.charCodeAt(at + 1) === ZERO
  if (hasLeadingZero || value > max || Number.isNaN(value) || Number.isNaN(length)) throw noRank(text)
  reader.at = at + 1 + length
  return value
}

/** NaN for what is no digit of lower-case hex, or no character at all. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (code >= ZERO && code <= NINE) return code - ZERO
  return code >= A && code <= F ? code - A + 10 : Number.NaN
}

const [ZERO, NINE, A, F] = [0x30, 0x39, 0x61, 0x66]

function noRank(text: string): FreshetError {
  return new FreshetError('RECORD_MALFORMED', `not a rank: ${JSON.stringify(text.slice(0, 80))}`)
}
