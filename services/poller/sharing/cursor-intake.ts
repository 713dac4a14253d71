import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { readCursorMessage } from '@freshet/capture/cursor-message.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import type { ShardTable } from './shard-table.ts'

/** Reads messages of `.cursors` into the table. What cannot be used is counted and told of once: it must not end a poller. */
export class CursorIntake {
  readonly #table: Pick<ShardTable, 'read' | 'readBroken'>
  readonly #telemetry: Pick<Telemetry, 'log' | 'metrics'>
  /** Offsets after those that were told of, by partition: each is read again whenever the partition comes to us. */
  readonly #untold = new Map<number, number>()

  constructor(table: Pick<ShardTable, 'read' | 'readBroken'>, telemetry: Pick<Telemetry, 'log' | 'metrics'>) {
    this.#table = table
    this.#telemetry = telemetry
  }

  /** @throws RECORD_VERSION for a cursor that a newer release has written */
  take(partition: number, message: IncomingMessage): void {
    const said = readCursorMessage(partition, message)
    if (said.kind === 'cursor') this.#table.read(partition, said.key, said.cursor)
    if (said.kind === 'stranger') this.#tell(partition, message, `${said.why}; passed over`)
    if (said.kind !== 'broken') return
    this.#table.readBroken(partition, said.key)
    this.#tell(partition, message, `${said.why}; if no later one follows, the shard is captured anew`)
  }

  #tell(partition: number, { offset }: IncomingMessage, line: string): void {
    if (offset < (this.#untold.get(partition) ?? 0)) return
    this.#untold.set(partition, offset + 1)
    this.#telemetry.log.warn(line)
    this.#telemetry.metrics.add('freshet.poller.cursors_unusable')
  }
}
