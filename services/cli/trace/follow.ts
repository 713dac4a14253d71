import type { Client } from '@elastic/elasticsearch'
import type { Settings } from '@freshet/config/schema.ts'
import type { Order } from '@freshet/records/control.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { connectTelemetry } from '@freshet/telemetry/elasticsearch/connect.ts'
import { giveOrder, whoAsks } from '../alerts/control-topic.ts'
import { hasArrived, type Journey, journeysOf, type SeenStep } from './journey.ts'
import { readSteps } from './read-steps.ts'

/** Clocks of machines differ by less; a change that was seen just before the order counts as one of after it. */
const SKEW_MS = 2_000
const LOOK_EVERY_MS = 1_000

/** After Ctrl-C once more: what was seen by then is shown all the same. */
const LAST_LOOK_MS = 5_000

export interface Followed {
  readonly journeys: readonly Journey[]
  readonly orderedAtMs: number
  readonly untilMs: number
  /** A change of after the order has come all the way. */
  readonly hasArrived: boolean
}

/**
 * Orders that a document be traced, and waits until a change of it has come all the way, or so long.
 * @throws ORDER_NOT_GIVEN, TOPIC_MISSING; ELASTICSEARCH_UNREACHABLE, …_UNAUTHORIZED, …_REFUSED
 */
export async function followDocument(
  settings: Settings,
  key: string,
  { forMs, waitMs }: { readonly forMs: number; readonly waitMs: number },
  signal: AbortSignal,
): Promise<Followed> {
  const orderedAtMs = systemClock.nowMs()
  const untilMs = orderedAtMs + forMs
  const stamp = { version: 1, by: whoAsks(), reason: 'freshet trace', atMs: orderedAtMs, untilMs } as const
  const order: Order = { order: 'trace', ...stamp, key }
  await giveOrder(settings, order, signal)
  await using telemetry = connectTelemetry(settings)
  for (;;) {
    const journeys = journeysOf(await readUnlessOver(telemetry.client, settings, key, signal))
    const isThere = hasArrived(journeys, orderedAtMs - SKEW_MS)
    const isOver = signal.aborted || systemClock.nowMs() >= orderedAtMs + waitMs
    if (isThere || isOver) return { journeys, orderedAtMs, untilMs, hasArrived: isThere }
    await systemClock.sleep(LOOK_EVERY_MS, signal)
  }
}

async function readUnlessOver(
  client: Client,
  settings: Settings,
  key: string,
  signal: AbortSignal,
): Promise<SeenStep[]> {
  try {
    return await readSteps(client, settings, key, signal)
  } catch (error) {
    if (!signal.aborted) throw error
    return await readSteps(client, settings, key, AbortSignal.timeout(LAST_LOOK_MS))
  }
}
