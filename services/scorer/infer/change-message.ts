import type { IncomingMessage } from '@freshet/adapters/kafka/batch.ts'

/** A message of `.changes`, before anything is known about it. */
export type ChangeMessage = Pick<IncomingMessage, 'offset' | 'key' | 'value' | 'headers'>
