/**
 * (4) Scores as they travel through `.scores`: one message a micro-batch, column by column, with the offsets that it
 * consumed. Whoever stores the batch can commit exactly it.
 */
import { Buffer } from 'node:buffer'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { TraceContext } from './change.ts'
import { isMoment, MOMENTS_END_MS } from './moment.ts'
import type { Rank } from './revision.ts'

export interface ScoreBatch {
  readonly header: ScoreBatchHeader
  readonly rows: ScoreRows
}

export interface ScoreBatchHeader {
  /** The partition of `.changes`, and of `.scores`, that the rows come from. */
  readonly partition: number
  /** First and last offset of `.changes` in this batch, both inclusive. */
  readonly fromOffset: number
  readonly toOffset: number
  readonly model: ModelIdentity
  /** Names of the outputs, in the order of `rows.outputs`. */
  readonly outputs: readonly string[]
  readonly scoredAtMs: number
  readonly trace: TraceContext | null
}

export interface ModelIdentity {
  readonly name: string
  readonly version: string
  /** Counts promotions. */
  readonly generation: number
}

/** How a model is shown everywhere: `name@version`. */
export function modelLabel({ name, version }: Pick<ModelIdentity, 'name' | 'version'>): string {
  return `${name}@${version}`
}

/** One word: it stands in the line of a stored score. */
export function isModelLabel(label: unknown): boolean {
  return typeof label === 'string' && /^\S+$/.test(label)
}

/** What a row says of its key. `unscorable`: the current document went to `.dead`, so an older score must not be shown. */
export const ROW_STATES = ['scored', 'deleted', 'unscorable'] as const
export type RowState = (typeof ROW_STATES)[number]

/** How a row's state stands in `states`. */
export const STATE = Object.fromEntries(ROW_STATES.map((state, index) => [state, index])) as Record<
  RowState,
  number
>

/** n rows as columns. Typed arrays have n entries, except `keyOffsets` with n + 1. */
export interface ScoreRows {
  readonly count: number
  /** UTF-8 of all keys, one after the other; key i is `keys[keyOffsets[i] .. keyOffsets[i + 1]]`. */
  readonly keys: Uint8Array
  readonly keyOffsets: Uint32Array
  readonly documentVersions: Float64Array
  readonly epochs: Float64Array
  readonly primaryTerms: Uint32Array
  readonly seqNos: Float64Array
  /** When the poller saw the document, wall-clock milliseconds. */
  readonly asOfMs: Float64Array
  /** Index into ROW_STATES. */
  readonly states: Uint8Array
  /** One column an output; NaN in rows that are not `scored`. */
  readonly outputs: readonly Float64Array[]
}

export function emptyRows(count: number, keyBytes: number, outputs: number): ScoreRows {
  return {
    count,
    keys: new Uint8Array(keyBytes),
    keyOffsets: new Uint32Array(count + 1),
    documentVersions: new Float64Array(count),
    epochs: new Float64Array(count),
    primaryTerms: new Uint32Array(count),
    seqNos: new Float64Array(count),
    asOfMs: new Float64Array(count),
    states: new Uint8Array(count),
    outputs: Array.from({ length: outputs }, () => new Float64Array(count).fill(Number.NaN)),
  }
}

export function keyAt(rows: Pick<ScoreRows, 'keys' | 'keyOffsets'>, row: number): Buffer {
  const from = rows.keyOffsets[row]!
  return Buffer.from(rows.keys.buffer, rows.keys.byteOffset + from, rows.keyOffsets[row + 1]! - from)
}

export function rankAt({ header, rows }: ScoreBatch, row: number): Rank {
  return {
    revision: {
      documentVersion: rows.documentVersions[row]!,
      epoch: rows.epochs[row]!,
      primaryTerm: rows.primaryTerms[row]!,
      seqNo: rows.seqNos[row]!,
    },
    modelGeneration: header.model.generation,
  }
}

export function stateAt(rows: Pick<ScoreRows, 'states'>, row: number): RowState {
  return ROW_STATES[rows.states[row]!]!
}

/*
 * Version 1, little-endian, so that columns are typed-array views of the message:
 *   0 u8 version   1 three bytes zero   4 u32 bytes of the JSON header   8 u32 rows   12 u32 bytes of all keys
 *  16 JSON header, zero-padded to a multiple of 8
 *     f64 × rows: documentVersions, epochs, seqNos, asOfMs, then each output
 *     u32: primaryTerms × rows, keyOffsets × (rows + 1)
 *     u8: states × rows, then the keys
 */
const VERSION = 1
const FIXED_BYTES = 16

/** Bytes that one row adds to an encoded batch, so that whoever cuts batches can keep a message under its limit. */
export function scoreRowBytes(keyBytes: number, outputs: number): number {
  return 8 * (4 + outputs) + 4 + 4 + 1 + keyBytes
}

export function encodeScoreBatch({ header, rows }: ScoreBatch): Buffer {
  const json = Buffer.from(JSON.stringify(header))
  const layout = layOut(json.length, rows.count, rows.keys.length, rows.outputs.length)
  const bytes = new Uint8Array(layout.totalBytes)
  const fixed = new DataView(bytes.buffer)
  fixed.setUint8(0, VERSION)
  fixed.setUint32(4, json.length, true)
  fixed.setUint32(8, rows.count, true)
  fixed.setUint32(12, rows.keys.length, true)
  bytes.set(json, FIXED_BYTES)
  const view = viewRows(bytes.buffer, layout, rows.count, rows.outputs.length)
  for (const column of COLUMNS) view[column].set(rows[column])
  for (const [index, output] of rows.outputs.entries()) view.outputs[index]!.set(output)
  return Buffer.from(bytes.buffer)
}

/** @throws RECORD_VERSION, RECORD_MALFORMED */
export function decodeScoreBatch(message: Buffer): ScoreBatch {
  if (message.length < FIXED_BYTES) throw malformed(`${message.length} bytes`)
  if (message[0] !== VERSION)
    throw new FreshetError('RECORD_VERSION', `score batch version ${message[0]}, this build reads ${VERSION}`)
  const bytes = new Uint8Array(message) // a copy: views need alignment, and the message's memory is shared
  const fixed = new DataView(bytes.buffer)
  const headerBytes = fixed.getUint32(4, true)
  const count = fixed.getUint32(8, true)
  const keyBytes = fixed.getUint32(12, true)
  if (FIXED_BYTES + headerBytes > bytes.length) throw malformed('the header is cut off')
  const header = parseHeader(Buffer.from(bytes.buffer, FIXED_BYTES, headerBytes))
  const layout = layOut(headerBytes, count, keyBytes, header.outputs.length)
  if (layout.totalBytes !== bytes.length) throw malformed(`${bytes.length} bytes, not ${layout.totalBytes}`)
  const rows = viewRows(bytes.buffer, layout, count, header.outputs.length)
  checkRows(rows)
  checkNumbers(rows)
  return { header, rows }
}

/**
 * A message of `.scores`, or why it is no score batch at all: no reader stops for that.
 * @throws RECORD_VERSION when infer is newer than this build: its batches must wait for a newer one
 */
export function tryDecodeScoreBatch(message: Buffer | null): ScoreBatch | FreshetError {
  try {
    return decodeScoreBatch(message ?? Buffer.alloc(0))
  } catch (error) {
    if (isFreshetError(error, 'RECORD_MALFORMED')) return error
    throw error
  }
}

const COLUMNS = [
  'documentVersions',
  'epochs',
  'seqNos',
  'asOfMs',
  'primaryTerms',
  'keyOffsets',
  'states',
  'keys',
] as const

type Layout = Record<(typeof COLUMNS)[number] | 'outputs' | 'keyBytes' | 'totalBytes', number>

function layOut(headerBytes: number, count: number, keyBytes: number, outputs: number): Layout {
  const documentVersions = Math.ceil((FIXED_BYTES + headerBytes) / 8) * 8
  const epochs = documentVersions + 8 * count
  const seqNos = epochs + 8 * count
  const asOfMs = seqNos + 8 * count
  const outputsAt = asOfMs + 8 * count
  const primaryTerms = outputsAt + 8 * count * outputs
  const keyOffsets = primaryTerms + 4 * count
  const states = keyOffsets + 4 * (count + 1)
  const keys = states + count
  const totalBytes = keys + keyBytes
  return {
    documentVersions,
    epochs,
    seqNos,
    asOfMs,
    outputs: outputsAt,
    primaryTerms,
    keyOffsets,
    states,
    keys,
    keyBytes,
    totalBytes,
  }
}

function viewRows(buffer: ArrayBuffer, at: Layout, count: number, outputs: number): ScoreRows {
  return {
    count,
    keys: new Uint8Array(buffer, at.keys, at.keyBytes),
    keyOffsets: new Uint32Array(buffer, at.keyOffsets, count + 1),
    documentVersions: new Float64Array(buffer, at.documentVersions, count),
    epochs: new Float64Array(buffer, at.epochs, count),
    primaryTerms: new Uint32Array(buffer, at.primaryTerms, count),
    seqNos: new Float64Array(buffer, at.seqNos, count),
    asOfMs: new Float64Array(buffer, at.asOfMs, count),
    states: new Uint8Array(buffer, at.states, count),
    outputs: Array.from(
      { length: outputs },
      (_, index) => new Float64Array(buffer, at.outputs + 8 * count * index, count),
    ),
  }
}

function parseHeader(json: Buffer): ScoreBatchHeader {
  try {
    const header = JSON.parse(json.toString()) as ScoreBatchHeader
    if (isHeader(header)) return header
  } catch {
    // Not JSON is as malformed as JSON of another shape.
  }
  throw malformed('the header is not ours')
}

function isHeader({
  partition,
  fromOffset,
  toOffset,
  model,
  outputs,
  scoredAtMs,
  trace,
}: ScoreBatchHeader): boolean {
  const { name, version, generation } = model
  return (
    [partition, fromOffset, toOffset].every(Number.isSafeInteger) &&
    isMoment(scoredAtMs) &&
    isWholeBelow(generation, 2 ** 32) &&
    Array.isArray(outputs) &&
    [name, version, ...outputs, ...(trace ? [trace.traceId, trace.spanId] : [])].every(isText) &&
    isModelLabel(modelLabel(model))
  )
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

/** A number that a rank or a date has no place for must not get past here: every store would choke on it, again and again. */
function checkNumbers({ count, documentVersions, epochs, seqNos, asOfMs }: ScoreRows): void {
  for (let row = 0; row < count; row++)
    if (
      !isWholeBelow(documentVersions[row]!, 2 ** 53) ||
      !isWholeBelow(epochs[row]!, 2 ** 48) ||
      !isWholeBelow(seqNos[row]!, 2 ** 53) ||
      !isWholeBelow(asOfMs[row]!, MOMENTS_END_MS)
    )
      throw malformed(`row ${row} has a number out of range`)
}

function isWholeBelow(value: number, limit: number): boolean {
  return value >= 0 && value < limit && Math.floor(value) === value
}

function checkRows({ count, keys, keyOffsets, states }: ScoreRows): void {
  for (let row = 0; row < count; row++)
    if (keyOffsets[row]! > keyOffsets[row + 1]! || states[row]! >= ROW_STATES.length)
      throw malformed(`row ${row} is out of bounds`)
  if (keyOffsets[0] !== 0 || keyOffsets[count] !== keys.length) throw malformed('the keys are cut off')
}

function malformed(what: string): FreshetError {
  return new FreshetError('RECORD_MALFORMED', `a score batch that cannot be read: ${what}`)
}
