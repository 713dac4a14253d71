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
  if (!Number.isSafeInteger(value) || value < 0) throw noNumber(value)
  const digits = value.toString(16)
  return digits.length.toString(16) + digits
}

/** No `shortNumber` is longer: of 2^53 − 1. */
export const MAX_SHORT_NUMBER_BYTES = 15

/** `shortNumber` as bytes. @returns where it ends. @throws RECORD_MALFORMED */
export function writeShortNumber(value: number, into: Uint8Array, start: number): number {
  if (value === 0) {
    into[start] = ZERO
    return start + 1
  }
  if (!Number.isSafeInteger(value) || value < 0) throw noNumber(value)
  const high = Math.floor(value / 2 ** 32)
  const low = value >>> 0
  const digits = high === 0 ? hexDigits(low) : 8 + hexDigits(high)
  into[start] = HEX[digits]!
  const end = start + 1 + digits
  let to = end
  for (let left = low; to > start + 1 && to > end - 8; left >>>= 4) into[--to] = HEX[left & 0xf]!
  for (let left = high; to > start + 1; left >>>= 4) into[--to] = HEX[left & 0xf]!
  return end
}

/** Of a number above 0 and below 2^32. */
function hexDigits(value: number): number {
  return (35 - Math.clz32(value)) >>> 2
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
const HEX = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

function noNumber(value: number): FreshetError {
  return new FreshetError('RECORD_MALFORMED', `${value} is no number of a rank`)
}

function noRank(text: string): FreshetError {
  return new FreshetError('RECORD_MALFORMED', `not a rank: ${JSON.stringify(text.slice(0, 80))}`)
}
