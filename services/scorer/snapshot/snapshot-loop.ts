import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { ServiceContext } from '@freshet/service/service.ts'

export async function runSnapshot(
  _context: ServiceContext,
  _deps: { connection: KafkaConnection; store: ObjectStore },
): Promise<void> {
  throw new Error('to come')
}
