interface Mark {
  readonly seqNo: number
  readonly seenAtMs: number
  /** It was there at the first look. */
  readonly isFirst: boolean
}

interface Age {
  /** 0 where all is captured, or what is not was first seen now. */
  readonly behindSeconds: number
  /** It was there at the first look: it may be older. */
  readonly behindBefore?: true
}

/** More are thinned out: an age is then told a little too high. */
const MAX_MARKS = 64

/**
 * How old the oldest operation of a shard is that is not captured. Elasticsearch tells no times, so it is dated by the
 * look that first saw a checkpoint as high as it: the age is too low by at most the time between two looks. Pure.
 */
export class Uncaptured {
  /** Rising in both; only those above the cursor. */
  #marks: readonly Mark[] = []
  #isBegun = false

  see({ checkpoint, cursorSeqNo }: { checkpoint: number; cursorSeqNo: number }, nowMs: number): Age {
    const left = this.#marks.filter(({ seqNo }) => seqNo > cursorSeqNo && seqNo <= checkpoint)
    const isNew = checkpoint > cursorSeqNo && (left.at(-1)?.seqNo ?? -1) < checkpoint
    this.#marks = thinned(
      isNew ? [...left, { seqNo: checkpoint, seenAtMs: nowMs, isFirst: !this.#isBegun }] : left,
    )
    this.#isBegun = true
    const oldest = this.#marks[0]
    if (oldest === undefined) return { behindSeconds: 0 }
    const behindSeconds = (nowMs - oldest.seenAtMs) / 1_000
    return { behindSeconds, ...(oldest.isFirst && { behindBefore: true }) }
  }
}

/** Every second one between the first and the last: what they stood for is dated by the one before. */
function thinned(marks: readonly Mark[]): readonly Mark[] {
  if (marks.length <= MAX_MARKS) return marks
  return marks.filter((_, at) => at % 2 === 0 || at === marks.length - 1)
}
