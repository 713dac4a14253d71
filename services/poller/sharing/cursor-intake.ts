import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { readCursorMessage } from '@freshet/capture/cursor-message.ts'
import type { FreshetError } from '@freshet/errors/errors.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import type { ShardTable } from './shard-table.ts'

/** Reads messages of `.cursors` into the table. What cannot be used is counted and told of once: it must not end a poller. */
export class CursorIntake {
  readonly #table: Pick<ShardTable, 'read' | 'readBroken'>
  readonly #telemetry: Pick<Telemetry, 'log' | 'metrics'>
  /** Offsets after those that were told of, by partition: each is read again whenever the partition comes to us. */
  readonly #untold = new Map<number, number>()

  /** Cursors of a newer release that are the last of their shard, by key, by partition. */
  readonly #newer = new Map<number, Map<string, FreshetError>>()

  constructor(table: Pick<ShardTable, 'read' | 'readBroken'>, telemetry: Pick<Telemetry, 'log' | 'metrics'>) {
    this.#table = table
    this.#telemetry = telemetry
  }

  /** The partition is read from its beginning. */
  begin(partition: number): void {
    this.#newer.set(partition, new Map())
  }

  /**
   * What was read up to here is how it stands.
   * @throws RECORD_VERSION for a shard that a newer release has captured last: it knows things of it that we do not
   */
  check(partition: number): void {
    for (const error of this.#newer.get(partition)?.values() ?? []) throw error
  }

  take(partition: number, message: IncomingMessage): void {
    const said = readCursorMessage(partition, message)
    if (said.kind === 'newer') this.#newer.get(partition)?.set(said.key, said.error)
    if (said.kind === 'cursor') this.#newer.get(partition)?.delete(said.key)
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
