import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { RowWriter } from '@freshet/model/features/columns.ts'
import { sliceFeatures } from '@freshet/model/features/features.ts'
import { CHANGE_HEADER, type Change, decodeChange } from '@freshet/records/change.ts'
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
  const { changes, messages, dead } = decodeAll(batch)
  const keyBytes = changes.reduce((sum, { key }) => sum + key.length, 0)
  const rows = emptyRows(changes.length, keyBytes, 0)
  const features = writer.allocate(changes.length)
  const scorable = new Uint32Array(changes.length)
  let scored = 0
  for (const [row, change] of changes.entries()) {
    writeRow(rows, row, change)
    if (change.source === null) {
      rows.states[row] = STATE.deleted
      continue
    }
    const problem = writer.write(change.source, features, scored)
    if (problem === null) scorable[scored++] = row
    else {
      rows.states[row] = STATE.unscorable
      const { code, at, message } = problem
      dead.push({ message: messages[row]!, code, at, reason: message })
    }
  }
  return {
    fromOffset: batch[0]!.offset,
    toOffset: batch.at(-1)!.offset,
    rows,
    messages,
    features: sliceFeatures(features, 0, scored),
    scorable: scorable.subarray(0, scored),
    dead,
    origins: changes.map(({ trace }) => trace),
  }
}

/** `messages[i]` is the one that `changes[i]` came in. */
function decodeAll(batch: readonly ChangeMessage[]) {
  const changes: Change[] = []
  const messages: ChangeMessage[] = []
  const dead: DeadMessage[] = []
  for (const message of batch) {
    try {
      changes.push(decodeMessage(message))
      messages.push(message)
    } catch (error) {
      if (!isFreshetError(error)) throw error
      if (error.code !== 'RECORD_MALFORMED')
        throw new FreshetError(error.code, `offset ${message.offset}: ${error.message}`, { cause: error })
      dead.push({ message, code: error.code, at: null, reason: error.message })
    }
  }
  return { changes, messages, dead }
}

function decodeMessage({ key, headers, value }: ChangeMessage): Change {
  if (key === null) throw new FreshetError('RECORD_MALFORMED', 'a change without a key')
  return decodeChange(key, headers[CHANGE_HEADER], value)
}

function writeRow(rows: ScoreRows, row: number, { key, revision, capturedAtMs }: Change): void {
  const keyAt = rows.keyOffsets[row]!
  rows.keys.set(key, keyAt)
  rows.keyOffsets[row + 1] = keyAt + key.length
  rows.documentVersions[row] = revision.documentVersion
  rows.epochs[row] = revision.epoch
  rows.primaryTerms[row] = revision.primaryTerm
  rows.seqNos[row] = revision.seqNo
  rows.asOfMs[row] = capturedAtMs
}
