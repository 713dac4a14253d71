/**
 * One change in N is traced from the poll to the gateway. Every service decides it for itself, from the sequence number
 * that each of them holds anyway: nothing is carried, and all agree. why: decisions/0025
 */

/** 2^32 over the golden ratio: of neighbouring numbers it makes some that lie far apart, evenly. */
const SPREAD = 0x9e37_79b1

/** What `isSampled` takes for one in `oneIn`; 0: none. The first change of a shard, number 0, is in every sample. */
export function sampleBelow(oneIn: number): number {
  return oneIn === 0 ? 0 : Math.ceil(2 ** 32 / oneIn)
}

/** One multiplication: it is asked for every row. */
export function isSampled(seqNo: number, below: number): boolean {
  return Math.imul(seqNo, SPREAD) >>> 0 < below
}
