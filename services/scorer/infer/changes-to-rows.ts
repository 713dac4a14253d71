import { keyLengthOf, MessageParts } from '@freshet/adapters/kafka/wire/message-parts.ts'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { RowWriter } from '@freshet/model/features/columns.ts'
import { sliceFeatures } from '@freshet/model/features/features.ts'
import { type JsonBytes, jsonBytes } from '@freshet/model/features/layouts/layouts.ts'
import { CHANGE_HEADER, ChangeHeader, type TraceContext } from '@freshet/records/change.ts'
import { emptyRows, type ScoreRows, STATE } from '@freshet/records/score-batch.ts'
import type { DeadMessage } from '../dead-letters.ts'
import type { ChangeMessage } from './change-message.ts'
import type { FeatureBatch } from './feature-batch.ts'

/**
 * (2→3) A document that cannot be scored becomes an `unscorable` row beside its dead letter, so that no store goes on
 * showing an older score as current. A change that cannot be read at all (RECORD_MALFORMED) is a dead letter without a
 * row: it has no revision that could outrank anything.
 * @param batch n ≥ 1 messages of one partition.
 * @throws RECORD_VERSION when the poller is newer than this build: its changes are good, so they must wait in the topic
 * for a newer scorer, and not die here.
 */
export function changesToRows(batch: readonly ChangeMessage[], writer: RowWriter): FeatureBatch {
  const parts = new MessageParts(CHANGE_HEADER)
  const header = new ChangeHeader()
  const keyBytes = batch.reduce((sum, message) => sum + keyLengthOf(message), 0)
  const rows = emptyRows(batch.length, keyBytes, 0)
  const features = writer.allocate(batch.length)
  const scorable = new Uint32Array(batch.length)
  /** The batch itself, as long as all of it could be read. */
  let messages: ChangeMessage[] | undefined
  let count = 0
  const origins: TraceContext[] = []
  let lastOrigin: TraceContext | null = null
  const dead: DeadMessage[] = []
  let scored = 0
  let text: JsonBytes | undefined
  // One message after the other to its end: what is made of each dies before the garbage collector comes by.
  for (const message of batch) {
    parts.of(message)
    if (!readHeader(parts, header, message, dead)) {
      messages ??= batch.slice(0, count)
      continue
    }
    const row = count++
    messages?.push(message)
    if (header.trace !== lastOrigin) {
      lastOrigin = header.trace
      if (lastOrigin !== null) origins.push(lastOrigin)
    }
    writeKey(rows, row, parts)
    writeHeader(rows, row, header)
    const { bytes, valueAt, valueTo } = parts
    if (valueTo < valueAt) {
      rows.states[row] = STATE.deleted
      continue
    }
    if (text?.bytes !== bytes) text = jsonBytes(bytes)
    const problem = writer.writeBytes(text, valueAt, valueTo, features, scored)
    if (problem === null) scorable[scored++] = row
    else {
      rows.states[row] = STATE.unscorable
      const { code, at, message: reason } = problem
      dead.push({ message, code, at, reason })
    }
  }
  return {
    fromOffset: batch[0]!.offset,
    toOffset: batch.at(-1)!.offset,
    rows: firstRows(rows, count),
    messages: messages ?? batch,
    features: sliceFeatures(features, 0, scored),
    scorable: scorable.subarray(0, scored),
    dead,
    origins,
  }
}

/** False: it cannot be read, and is among the dead. */
function readHeader(
  { bytes, keyAt, keyTo, valueAt, valueTo, headerAt, headerTo }: MessageParts,
  into: ChangeHeader,
  message: ChangeMessage,
  dead: DeadMessage[],
): boolean {
  try {
    if (keyTo < keyAt) throw new FreshetError('RECORD_MALFORMED', 'a change without a key')
    into.read(bytes, headerAt, headerTo, valueTo < valueAt)
    return true
  } catch (error) {
    if (!isFreshetError(error)) throw error
    if (error.code !== 'RECORD_MALFORMED')
      throw new FreshetError(error.code, `offset ${message.offset}: ${error.message}`, { cause: error })
    dead.push({ message, code: error.code, at: null, reason: error.message })
    return false
  }
}

/** By hand: keys are short, and most of a call would be the object that says where the key is. */
function writeKey({ keys, keyOffsets }: ScoreRows, row: number, { bytes, keyAt, keyTo }: MessageParts): void {
  let at = keyOffsets[row]!
  for (let from = keyAt; from < keyTo; from++) keys[at++] = bytes[from]!
  keyOffsets[row + 1] = at
}

function writeHeader(rows: ScoreRows, row: number, header: ChangeHeader): void {
  rows.documentVersions[row] = header.documentVersion
  rows.epochs[row] = header.epoch
  rows.primaryTerms[row] = header.primaryTerm
  rows.seqNos[row] = header.seqNo
  rows.asOfMs[row] = header.capturedAtMs
}

/** The same, unless a change could not be read. */
function firstRows(rows: ScoreRows, count: number): ScoreRows {
  if (count === rows.count) return rows
  const { keys, keyOffsets, documentVersions, epochs, primaryTerms, seqNos, asOfMs, states } = rows
  return {
    count,
    keys: keys.subarray(0, keyOffsets[count]!),
    keyOffsets: keyOffsets.subarray(0, count + 1),
    documentVersions: documentVersions.subarray(0, count),
    epochs: epochs.subarray(0, count),
    primaryTerms: primaryTerms.subarray(0, count),
    seqNos: seqNos.subarray(0, count),
    asOfMs: asOfMs.subarray(0, count),
    states: states.subarray(0, count),
    outputs: [],
  }
}
