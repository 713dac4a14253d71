import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { tail } from '@freshet/adapters/kafka/tail.ts'
import type { CursorBook } from '@freshet/reconcile/cursor-book.ts'
import { topicName } from '@freshet/records/topics.ts'

/** The book hears every cursor as it is written, for as long as `work` takes, whose signal aborts when it cannot. */
export async function hearingCursors(
  book: CursorBook,
  { connection, pipeline }: { readonly connection: KafkaConnection; readonly pipeline: string },
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const end = new AbortController()
  const deaf = new AbortController()
  const following = tail(connection, topicName(pipeline, 'cursors'), {
    fromTimestampMs: 0,
    onMessage: (partition, message) => book.hear(partition, message),
    onOutside: (partition, { high }) => book.logEndsAt(partition, high),
    signal: AbortSignal.any([signal, end.signal]),
  })
  following.catch((error: unknown) => deaf.abort(error))
  try {
    await work(AbortSignal.any([signal, deaf.signal]))
  } finally {
    end.abort()
    await following.catch(() => {}) // `deaf` has told the work
  }
}
