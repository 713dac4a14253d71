/** Numbers as records write them (KIP-98): zigzag, seven bits a byte, the lowest first. */
import type { Buffer } from 'node:buffer'

/** Whole numbers from −2^52 to 2^52, by arithmetic, since timestamps pass 32 bits. */
function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2
}

export function sizeOfVarint(value: number): number {
  let size = 1
  for (let rest = zigzag(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

/** @returns where it ends. */
export function writeVarint(into: Buffer, value: number, at: number): number {
  let rest = zigzag(value)
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) into[at++] = (rest % 0x80) | 0x80
  into[at++] = rest
  return at
}
