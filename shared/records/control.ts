/**
 * What operators order, kept in `.control` until it ends or is taken back: each key holds one order, a message without
 * a value takes it back. The watchdogs keep their memory there too (alert-state.ts), and say who of them speaks.
 */
import type { Buffer } from 'node:buffer'
import { z } from 'zod'
import { jsonRecord } from './json-record.ts'
import { momentSchema } from './moment.ts'

/** Who ordered it and why, and from when until when it goes; every order ends by itself. */
const stamp = {
  version: z.literal(1),
  by: z.string(),
  reason: z.string(),
  atMs: momentSchema,
  untilMs: momentSchema,
}

const orderSchema = z.discriminatedUnion('order', [
  /** Nobody is told of alerts that match. */
  z.object({
    order: z.literal('silence'),
    ...stamp,
    id: z.string(),
    /** An alert's id or its kind; `*` stands for any characters: `lag/air-infer`, `silent`, `lag/*`. */
    match: z.string(),
  }),
  /** Nobody is told of any alert: the pipeline is being worked on. */
  z.object({ order: z.literal('maintenance'), ...stamp }),
  /** Every step of this document is traced. */
  z.object({ order: z.literal('trace'), ...stamp, key: z.string() }),
])

export type Order = z.infer<typeof orderSchema>
export type Silence = Extract<Order, { order: 'silence' }>

export const orderRecord = jsonRecord<Order>('order', 1, orderSchema)

/** The key of an order in `.control`. */
export function controlKey(order: Order): string {
  switch (order.order) {
    case 'silence':
      return `silence/${order.id}`
    case 'maintenance':
      return 'maintenance'
    case 'trace':
      return `trace/${order.key}`
  }
}

/** Else it is the watchdogs' own: their memory, and who of them speaks. */
function isOrderKey(key: string): boolean {
  return !key.startsWith('watchdog/')
}

/** Which watchdog speaks, kept under `watchdog/speaker`: written by each that takes over, before it says a word. */
const claimSchema = z.object({
  version: z.literal(1),
  instance: z.string(),
  /** Nobody used it before: whoever reads it has read all that was written before. */
  claim: z.string(),
  atMs: momentSchema,
})

export type SpeakerClaim = z.infer<typeof claimSchema>

export const SPEAKER_KEY = 'watchdog/speaker'
export const speakerClaimRecord = jsonRecord<SpeakerClaim>('speaker claim', 1, claimSchema)

/** What has been ordered, as far as `.control` has been heard. */
export class Orders {
  readonly #orders = new Map<string, Order>()

  /**
   * Takes a message of `.control`; the watchdogs' memory is passed over.
   * @throws RECORD_VERSION for an order of a later build, RECORD_MALFORMED; whatever stood under the key is over
   */
  hear(key: string, value: Buffer | null): void {
    if (!isOrderKey(key)) return
    this.#orders.delete(key)
    if (value !== null) this.#orders.set(key, orderRecord.decode(value))
  }

  /** Oldest first. */
  inForce(nowMs: number): readonly Order[] {
    return [...this.#orders.values()].filter(({ untilMs }) => untilMs > nowMs).sort((a, b) => a.atMs - b.atMs)
  }

  /** Those that ended before `atMs`: they may be taken out of the topic. */
  endedBefore(atMs: number): readonly Order[] {
    return [...this.#orders.values()].filter(({ untilMs }) => untilMs < atMs)
  }
}
