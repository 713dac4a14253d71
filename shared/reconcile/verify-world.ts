import type { Client } from '@elastic/elasticsearch'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { Producer } from '@freshet/adapters/kafka/producer.ts'
import type { Scope } from '@freshet/capture/scope.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Clock } from '@freshet/stage/clock.ts'

/** What a verification looks at, and speaks to. */
export interface VerifyWorld {
  readonly settings: Settings
  /** Of the settings. */
  readonly scope: Scope
  readonly client: Client
  readonly connection: KafkaConnection
  readonly store: ObjectStore
  /** Used only to repair. */
  readonly producer: Pick<Producer, 'send'>
  readonly clock: Clock
  /** What is being done or waited for, in a few words; told often. */
  readonly onProgress: (line: string) => void
}
