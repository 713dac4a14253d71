import { Buffer } from 'node:buffer'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { CHANGE_HEADER, decodeChange } from '@freshet/records/change.ts'
import { DEAD_LETTER_HEADER, deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { compareRevisions, type Revision } from '@freshet/records/revision.ts'
import { topicName } from '@freshet/records/topics.ts'

/** Some 30 MB; what died before these is told without its reason. */
const MAX_LETTERS = 100_000
const READ_DEADLINE_MS = 60_000

interface Letter {
  readonly revision: Revision
  readonly reason: string
}

/** Why documents were set aside, by key: the last letter of each. */
export class DeadReasons {
  readonly #letters = new Map<string, Letter>()

  /** Letters that cannot be read are left out. */
  add({ key, value, headers }: Pick<IncomingMessage, 'key' | 'value' | 'headers'>): void {
    const letter = headers[DEAD_LETTER_HEADER]
    if (key === null || letter === undefined) return
    try {
      const { code, message } = deadLetterRecord.decode(letter)
      // One that was too large for Kafka stands there without its bytes.
      const { revision } = decodeChange(key, headers[CHANGE_HEADER], value ?? Buffer.alloc(0))
      const name = key.toString()
      this.#letters.delete(name)
      this.#letters.set(name, { revision, reason: `${code}: ${message}` })
    } catch (error) {
      if (!isFreshetError(error)) throw error
    }
    if (this.#letters.size > MAX_LETTERS) this.#letters.delete(this.#letters.keys().next().value!)
  }

  /** @param atLeast a letter of an older revision says nothing of this one */
  reasonOf(key: string, atLeast?: Revision): string | undefined {
    const letter = this.#letters.get(key)
    if (letter === undefined || (atLeast && compareRevisions(letter.revision, atLeast) < 0)) return undefined
    return letter.reason
  }
}

/** All that `.dead` still has. @throws KAFKA_UNREACHABLE, TOPIC_MISSING, DEADLINE */
export async function readDeadReasons(
  connection: KafkaConnection,
  pipeline: string,
  signal: AbortSignal,
): Promise<DeadReasons> {
  const reasons = new DeadReasons()
  await readAll(connection, topicName(pipeline, 'dead'), {
    deadlineMs: READ_DEADLINE_MS,
    signal,
    onMessage: (_, message) => reasons.add(message),
  })
  return reasons
}
