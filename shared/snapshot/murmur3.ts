const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

/**
 * MurmurHash3 (x86, 128 bits) of `bytes[from .. to]`, as four words in `into`. Fast and well spread, but no shield
 * against people who choose keys to collide; a seed that they cannot know keeps them guessing.
 * Source: MurmurHash3_x86_128 of Austin Appleby's smhasher, public domain.
 */
export function murmur3(
  bytes: Uint8Array,
  from: number,
  to: number,
  { seed, into }: { seed: number; into: Uint32Array },
): void {
  let h1 = seed
  let h2 = seed
  let h3 = seed
  let h4 = seed
  let at = from
  for (; at + 16 <= to; at += 16) {
    h1 ^= mix1(word(bytes, at))
    h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0
    h2 ^= mix2(word(bytes, at + 4))
    h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0
    h3 ^= mix3(word(bytes, at + 8))
    h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0
    h4 ^= mix4(word(bytes, at + 12))
    h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0
  }
  if (to > at + 12) h4 ^= mix4(tail(bytes, at + 12, to))
  if (to > at + 8) h3 ^= mix3(tail(bytes, at + 8, to))
  if (to > at + 4) h2 ^= mix2(tail(bytes, at + 4, to))
  if (to > at) h1 ^= mix1(tail(bytes, at, to))
  finish(h1, h2, h3, h4, to - from, into)
}

function finish(h1: number, h2: number, h3: number, h4: number, length: number, into: Uint32Array): void {
  let a = h1 ^ length
  let b = h2 ^ length
  let c = h3 ^ length
  let d = h4 ^ length
  a = (a + b + c + d) | 0
  b = (b + a) | 0
  c = (c + a) | 0
  d = (d + a) | 0
  a = avalanche(a)
  b = avalanche(b)
  c = avalanche(c)
  d = avalanche(d)
  a = (a + b + c + d) | 0
  into[0] = a
  into[1] = b + a
  into[2] = c + a
  into[3] = d + a
}

const mix1 = (k: number): number => Math.imul(rotate(Math.imul(k, C1), 15), C2)
const mix2 = (k: number): number => Math.imul(rotate(Math.imul(k, C2), 16), C3)
const mix3 = (k: number): number => Math.imul(rotate(Math.imul(k, C3), 17), C4)
const mix4 = (k: number): number => Math.imul(rotate(Math.imul(k, C4), 18), C1)

function avalanche(h: number): number {
  let x = h
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return x ^ (x >>> 16)
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits))
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

/** Up to four bytes from `at`, as far as they go before `to`. */
function tail(bytes: Uint8Array, at: number, to: number): number {
  let k = 0
  for (let i = Math.min(to, at + 4) - 1; i >= at; i--) k = (k << 8) | bytes[i]!
  return k
}
