import { z } from 'zod'
import { ALERT_STATE_KEY } from './alert-state.ts'
import { jsonRecord } from './json-record.ts'
import { momentSchema } from './moment.ts'

/** What a service instance says of itself every few seconds, in `.heartbeats` under `service/instance`. */
export const heartbeatSchema = z.object({
  version: z.literal(1),
  service: z.string(),
  instance: z.string(),
  startedAtMs: momentSchema,
  atMs: momentSchema,
  /** `stopping` is the last word of an orderly end: silence after it is no alarm. */
  status: z.enum(['starting', 'running', 'failing', 'stopping']),
  /** Units of work done since the start, by stage. */
  progress: z.record(z.string(), z.number()),
  /** Counters and gauges of the metrics table, by name. */
  metrics: z.record(z.string(), z.number()),
  /** `name@version` of the model in use. */
  model: z.string().nullable(),
  /** Each worker that is failing, whoever failed last stands last; absent where none is, or the writer does not say. */
  failing: z
    .array(
      z.object({
        /** e.g. `model`; that of the service itself where the instance cannot go on. */
        worker: z.string(),
        /** As `CODE: message`. */
        error: z.string(),
        atMs: momentSchema,
      }),
    )
    .optional(),
  /** The last error, as `CODE: message`. */
  lastError: z.string().nullable(),
  /** When it last happened; null where the writer does not say. */
  lastErrorAtMs: momentSchema.nullable().default(null),
  /** Whom its supervisor started it in place of. */
  replaces: z
    .object({
      /** Those that ended unasked one after the other, the last one last. */
      instances: z.array(z.string()),
      /** How the last one ended: an exit code, or a signal. */
      ended: z.string(),
    })
    .optional(),
})

export type Heartbeat = z.infer<typeof heartbeatSchema>
export type FailingWorker = NonNullable<Heartbeat['failing']>[number]
export type Replaced = NonNullable<Heartbeat['replaces']>

export const heartbeatRecord = jsonRecord<Heartbeat>('heartbeat', 1, heartbeatSchema)

export function heartbeatKey(service: string, instance: string): string {
  return `${service}/${instance}`
}

/** `.heartbeats` also keeps the watchdog's memory, under a key of its own. */
export function isHeartbeatKey(key: string): boolean {
  return key !== ALERT_STATE_KEY
}
