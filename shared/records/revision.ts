/**
 * The one law of Freshet: the highest rank wins.
 *
 * A **revision** orders all versions of a document: (documentVersion, epoch, primaryTerm, seqNo), compared left to
 * right. `primaryTerm` and `seqNo` are Elasticsearch's own, per shard. `epoch` orders incarnations of a shard, so that
 * a re-created index outranks what was before. `documentVersion` is 0 unless one key may live in several indices and
 * a field of the document decides between them.
 *
 * The **rank** of a score is (revision, modelGeneration): newer document first, then newer model.
 *
 * Every store is a last-writer-wins register on the rank. So duplicates, reordering, replays and late writers are
 * harmless: `newer` is a total order's maximum, hence idempotent, commutative and associative.
 */
import { FreshetError } from '@freshet/errors/errors.ts'

export interface Revision {
  readonly documentVersion: number
  /** Wall-clock milliseconds at which the incarnation of the shard was first met, never repeated. */
  readonly epoch: number
  readonly primaryTerm: number
  readonly seqNo: number
}

export interface Rank {
  readonly revision: Revision
  /** Counts promotions, not models: a rollback outranks what it undoes. */
  readonly modelGeneration: number
}

/** Negative, zero or positive, as `a` is older than, the same as or newer than `b`. */
export function compareRevisions(a: Revision, b: Revision): number {
  return (
    a.documentVersion - b.documentVersion ||
    a.epoch - b.epoch ||
    a.primaryTerm - b.primaryTerm ||
    a.seqNo - b.seqNo
  )
}

export function compareRanks(a: Rank, b: Rank): number {
  return compareRevisions(a.revision, b.revision) || a.modelGeneration - b.modelGeneration
}

/** The merge of every store: the one with the higher rank; on a tie the one that is already there. */
export function newer<T extends { readonly rank: Rank }>(there: T, incoming: T): T {
  return compareRanks(incoming.rank, there.rank) > 0 ? incoming : there
}

/** What a rank has a place for. */
export const MAX_EPOCH = 2 ** 48 - 1
export const MAX_PRIMARY_TERM = 2 ** 32 - 1
export const MAX_MODEL_GENERATION = 2 ** 32 - 1

const FIELDS = [
  { name: 'documentVersion', digits: 14 },
  { name: 'epoch', digits: 12 },
  { name: 'primaryTerm', digits: 8 },
  { name: 'seqNo', digits: 14 },
  { name: 'modelGeneration', digits: 8 },
] as const

/** Characters in an encoded rank. */
export const RANK_LENGTH = FIELDS.reduce((sum, field) => sum + field.digits, 0)

/**
 * Fixed-width lower-case hex that sorts as the rank does, byte by byte and in every locale (Redis compares strings by
 * the locale that it was started in; digits and lower-case letters keep their order in all of them).
 */
export function encodeRank({ revision, modelGeneration }: Rank): string {
  return (
    hex('documentVersion', revision.documentVersion, 14) +
    hex('epoch', revision.epoch, 12) +
    hex('primaryTerm', revision.primaryTerm, 8) +
    hex('seqNo', revision.seqNo, 14) +
    hex('modelGeneration', modelGeneration, 8)
  )
}

/** @throws RECORD_MALFORMED */
export function decodeRank(text: string): Rank {
  let at = 0
  const numbers = FIELDS.map(({ digits }) => Number.parseInt(text.slice(at, (at += digits)), 16))
  // Fourteen digits may say more than 2^53.
  if (!/^[0-9a-f]+$/.test(text) || text.length !== RANK_LENGTH || !numbers.every(Number.isSafeInteger))
    throw new FreshetError('RECORD_MALFORMED', `not a rank: ${JSON.stringify(text.slice(0, 80))}`)
  const [documentVersion, epoch, primaryTerm, seqNo, modelGeneration] = numbers as [
    number,
    number,
    number,
    number,
    number,
  ]
  return { revision: { documentVersion, epoch, primaryTerm, seqNo }, modelGeneration }
}

function hex(name: string, value: number, digits: number): string {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 16 ** digits)
    throw new FreshetError('RECORD_MALFORMED', `${name} ${value} is not a whole number below 16^${digits}`)
  return value.toString(16).padStart(digits, '0')
}
