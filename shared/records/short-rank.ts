/**
 * A rank as short text that sorts as the rank does, byte by byte and in every locale: each number in lower-case hex
 * without leading zeros, and before it how many digits it has, so that a longer number is a higher one. A rank of a
 * common pipeline takes some 24 characters where the fixed width of `encodeRank` takes 50. No rank is the beginning of
 * another, so whatever follows it never decides.
 */
import { FreshetError } from '@freshet/errors/errors.ts'
import { encodeRank, type Rank, type Revision } from './revision.ts'

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

export function decodeShortRank(text: string): Rank {
  let at = 0
  const next = (): number => {
    const length = Number.parseInt(text[at] ?? '', 16)
    const digits = text.slice(at + 1, at + 1 + length)
    at += 1 + length
    return length === 0 ? 0 : Number.parseInt(digits, 16)
  }
  const [documentVersion, epoch, primaryTerm, seqNo, modelGeneration] = [
    next(),
    next(),
    next(),
    next(),
    next(),
  ]
  const rank = { revision: { documentVersion, epoch, primaryTerm, seqNo }, modelGeneration } as Rank
  if (at !== text.length || !isShortRank(text, rank))
    throw new FreshetError('RECORD_MALFORMED', `not a rank: ${JSON.stringify(text.slice(0, 80))}`)
  return rank
}

/** Only what would be written so is a rank: two texts of one rank would not be a tie. */
function isShortRank(text: string, rank: Rank): boolean {
  try {
    encodeRank(rank) // knows the bounds of each number
    return encodeShortRank(rank) === text
  } catch {
    return false
  }
}
