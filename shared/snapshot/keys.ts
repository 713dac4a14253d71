import type { StoredRows } from '@freshet/records/stored-rows.ts'

/**
 * The order of a snapshot: keys as UTF-8 bytes. (JavaScript's `<` compares UTF-16, which differs beyond the BMP.)
 * @param shared bytes with which both are known to begin
 */
export function compareKeys(a: StoredRows, rowA: number, b: StoredRows, rowB: number, shared = 0): number {
  const fromA = a.keyOffsets[rowA]! + shared
  const fromB = b.keyOffsets[rowB]! + shared
  const lengthA = a.keyOffsets[rowA + 1]! - fromA
  const lengthB = b.keyOffsets[rowB + 1]! - fromB
  const common = Math.min(lengthA, lengthB)
  for (let i = 0; i < common; i++) {
    const difference = a.keys[fromA + i]! - b.keys[fromB + i]!
    if (difference !== 0) return difference
  }
  return lengthA - lengthB
}

/** How many bytes two keys begin with alike. */
export function sharedPrefix(a: StoredRows, rowA: number, b: StoredRows, rowB: number): number {
  const fromA = a.keyOffsets[rowA]!
  const fromB = b.keyOffsets[rowB]!
  const most = Math.min(a.keyOffsets[rowA + 1]! - fromA, b.keyOffsets[rowB + 1]! - fromB)
  let shared = 0
  while (shared < most && a.keys[fromA + shared] === b.keys[fromB + shared]) shared++
  return shared
}

/**
 * Six bytes of a key as a number, from `shared` on: of two keys that begin alike so far, the lower number is the lower
 * key. Behind a key's end there are zeros, so equal numbers say nothing yet.
 */
export function keyWindow({ keys, keyOffsets }: StoredRows, row: number, shared: number): number {
  const from = keyOffsets[row]! + shared
  const to = keyOffsets[row + 1]!
  const byte = (at: number) => (from + at < to ? keys[from + at]! : 0)
  const high = (byte(0) << 16) | (byte(1) << 8) | byte(2)
  const low = (byte(3) << 16) | (byte(4) << 8) | byte(5)
  return high * 2 ** 24 + low
}

export function keyBytes({ keys, keyOffsets }: StoredRows, row: number): Uint8Array {
  return keys.slice(keyOffsets[row], keyOffsets[row + 1])
}
