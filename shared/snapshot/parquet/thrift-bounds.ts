/**
 * Looks through a struct of Thrift's compact protocol before hyparquet makes objects of it: that one takes a list's length as
 * it is said, and allocates all of it at once, or goes down by recursion as deep as the bytes say.
 */
interface Reader {
  readonly view: DataView
  offset: number
}

/** The footer, a page's header or an index of Parquet are less than half as deep. */
const MAX_DEPTH = 16

/** @throws where the struct at `reader` does not end in its bytes; `reader` stays where it is */
export function checkStruct({ view, offset }: Reader): void {
  skipStruct({ view, offset }, 0)
}

function skipStruct(reader: Reader, depth: number): void {
  if (depth > MAX_DEPTH) throw new Error('structs too deep within each other')
  for (;;) {
    const byte = reader.view.getUint8(reader.offset++)
    if ((byte & 15) === STOP) return
    if (byte >> 4 === 0) skipVarint(reader)
    skipValue(reader, byte & 15, depth)
  }
}

function skipValue(reader: Reader, type: number, depth: number): void {
  if (type === BYTE) skipBytes(reader, 1)
  else if (type === I16 || type === I32 || type === I64) skipVarint(reader)
  else if (type === DOUBLE) skipBytes(reader, 8)
  else if (type === BINARY) skipBytes(reader, skipVarint(reader))
  else if (type === LIST) skipList(reader, depth + 1)
  else if (type === STRUCT) skipStruct(reader, depth + 1)
  else if (type !== TRUE && type !== FALSE) throw new Error(`a value of type ${type}`)
}

/** Each element has a byte at least. */
function skipList(reader: Reader, depth: number): void {
  if (depth > MAX_DEPTH) throw new Error('lists too deep within each other')
  const byte = reader.view.getUint8(reader.offset++)
  const length = byte >> 4 === 15 ? skipVarint(reader) : byte >> 4
  if (length > reader.view.byteLength - reader.offset) throw new Error(`a list of ${length}`)
  const type = byte & 15
  for (let left = length; left > 0; left--)
    skipValue(reader, type === TRUE || type === FALSE ? BYTE : type, depth)
}

function skipBytes(reader: Reader, length: number): void {
  if (length > reader.view.byteLength - reader.offset) throw new Error(`${length} bytes`)
  reader.offset += length
}

/** @returns what it says, unsigned */
function skipVarint(reader: Reader): number {
  let value = 0
  for (let factor = 1; factor <= MAX_FACTOR; factor *= 128) {
    const byte = reader.view.getUint8(reader.offset++)
    value += (byte & 127) * factor
    if (byte < 128) return value
  }
  throw new Error('a number of more than ten bytes')
}

const STOP = 0
const TRUE = 1
const FALSE = 2
const BYTE = 3
const I16 = 4
const I32 = 5
const I64 = 6
const DOUBLE = 7
const BINARY = 8
const LIST = 9
const STRUCT = 12
/** Of the tenth byte of a varint. */
const MAX_FACTOR = 2 ** 63
