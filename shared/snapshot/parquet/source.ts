import { Buffer } from 'node:buffer'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'

export interface FileAddress {
  readonly key: string
  /** Length of the object. */
  readonly bytes: number
}

/** Bytes of a file by position; the tail, which holds the footer, is there already. */
export interface Source {
  readonly file: FileAddress
  /** From the start of the footer, or earlier, to the end of the file. */
  readonly tail: Buffer
  read(from: number, to: number): Promise<Buffer>
}

/** Holds the footer of some 50 million rows (of more, the rest is read too); and small files whole, for one request. */
const TAIL_BYTES = 512 * 1024
/** Length of the footer and the magic word. */
const END_BYTES = 8

/** @throws SNAPSHOT_FILE_MISSING, and what the store throws */
export async function openSource(
  store: ObjectStore,
  file: FileAddress,
  signal?: AbortSignal,
): Promise<Source> {
  const read = (from: number, to: number) => readFile(store, file, { from, to }, signal)
  let tail = await read(Math.max(0, file.bytes - TAIL_BYTES), file.bytes)
  const wanted = Math.min(file.bytes, footerBytes(tail) + END_BYTES)
  if (wanted > tail.length)
    tail = Buffer.concat([await read(file.bytes - wanted, file.bytes - tail.length), tail])
  const tailFrom = file.bytes - tail.length
  return {
    file,
    tail,
    read: async (from, to) =>
      from >= tailFrom ? tail.subarray(from - tailFrom, to - tailFrom) : read(from, to),
  }
}

/** @throws SNAPSHOT_FILE_MISSING, and what the store throws */
export function readFile(
  store: ObjectStore,
  { key }: FileAddress,
  range: { from: number; to: number },
  signal?: AbortSignal,
): Promise<Buffer> {
  return store.getRange(key, range, signal).catch((cause: unknown) => {
    if (!isFreshetError(cause, 'OBJECT_MISSING')) throw cause
    const text = `${store.urlOf(key)} is a file of the snapshot, and is not there`
    throw new FreshetError('SNAPSHOT_FILE_MISSING', text, { cause })
  })
}

/** What the end of a file says; 0 when it is no Parquet file, which whoever parses it will tell. */
function footerBytes(tail: Buffer): number {
  return tail.length >= END_BYTES && tail.toString('latin1', tail.length - 4) === 'PAR1'
    ? tail.readUInt32LE(tail.length - END_BYTES)
    : 0
}

/** Whatever the parsers throw about bytes that they cannot read. */
export function guard<T>({ key }: FileAddress, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new FreshetError('SNAPSHOT_CORRUPT', `${key}: ${(cause as Error).message}`, { cause })
  }
}
