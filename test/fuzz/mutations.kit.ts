/** What happens to bytes on the way, and what people do to them who mean harm. */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'

type Change = (bytes: Buffer) => Buffer

/** One to four changes, one after the other. */
export function damaged(bytes: Buffer): fc.Arbitrary<Buffer> {
  return fc
    .array(change, { minLength: 1, maxLength: 4 })
    .map((changes) => changes.reduce((changed, apply) => apply(changed), bytes))
}

/** All beginnings; of long bytes, so many of them. */
export function* tornAt(bytes: Buffer, most: number): Generator<Buffer> {
  const step = Math.max(1, Math.ceil(bytes.length / most))
  for (let length = 0; length < bytes.length; length += step) yield bytes.subarray(0, length)
}

/** Where in the bytes: of a thousand. */
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
const at = (bytes: Buffer, share: number) => Math.floor(share * (bytes.length + 1))
const span = fc.tuple(place, fc.nat(64))

function cut(bytes: Buffer, [share, length]: readonly [number, number]): Buffer[] {
  const from = at(bytes, share)
  const to = Math.min(bytes.length, from + length)
  return [bytes.subarray(0, from), bytes.subarray(from, to), bytes.subarray(to)]
}

/** Lengths and counts as they are written in 1, 2, 4 and 8 bytes, both ways round. */
const EXTREMES: readonly Buffer[] = [
  ...[0, 1, 0x7f, 0x80, 0xff].map((byte) => Buffer.of(byte)),
  ...[0x7fff, 0x8000, 0xffff].flatMap((word) => bothWays(2, BigInt(word))),
  ...[0n, 1n, 0x7fffffffn, 0x80000000n, 0xfffffff4n, 0xffffffffn].flatMap((word) => bothWays(4, word)),
  ...[0n, 1n << 31n, (1n << 53n) - 1n, 1n << 53n, (1n << 63n) - 1n, (1n << 64n) - 1n].flatMap((word) =>
    bothWays(8, word),
  ),
  ...[Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5, 1e300].flatMap((value) => doubles(value)),
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]), // 2^32 − 1 as a varint
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
]

function bothWays(length: number, word: bigint): Buffer[] {
  const hex = word.toString(16).padStart(2 * length, '0')
  const big = Buffer.from(hex, 'hex')
  return [big, Buffer.from(big).reverse()]
}

function doubles(value: number): Buffer[] {
  const little = Buffer.alloc(8)
  little.writeDoubleLE(value)
  return [little]
}

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(([share, bit]): Change => {
    return (bytes) => {
      const changed = Buffer.from(bytes)
      const index = Math.floor(share * bytes.length)
      if (changed.length > 0) changed[index] = changed[index]! ^ (1 << bit)
      return changed
    }
  }),
  fc.tuple(place, fc.constantFrom(...EXTREMES)).map(([share, extreme]): Change => {
    return (bytes) => {
      const changed = Buffer.from(bytes)
      changed.set(extreme.subarray(0, Math.max(0, bytes.length - at(bytes, share))), at(bytes, share))
      return changed
    }
  }),
  place.map(
    (share): Change =>
      (bytes) =>
        bytes.subarray(0, at(bytes, share)),
  ),
  span.map((where): Change => {
    return (bytes) => {
      const [before, , behind] = cut(bytes, where)
      return Buffer.concat([before!, behind!])
    }
  }),
  span.map((where): Change => {
    return (bytes) => {
      const [before, block, behind] = cut(bytes, where)
      return Buffer.concat([before!, block!, block!, behind!])
    }
  }),
  fc.tuple(span, place).map(([where, to]): Change => {
    return (bytes) => {
      const [before, block, behind] = cut(bytes, where)
      const rest = Buffer.concat([before!, behind!])
      return Buffer.concat([rest.subarray(0, at(rest, to)), block!, rest.subarray(at(rest, to))])
    }
  }),
  fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 16 })).map(([share, inserted]): Change => {
    return (bytes) =>
      Buffer.concat([bytes.subarray(0, at(bytes, share)), inserted, bytes.subarray(at(bytes, share))])
  }),
)
