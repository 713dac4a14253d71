import { seeded } from '@freshet/stage/seeded.ts'
import { isServer, KINDS, type Kind, TARGETS, type Target } from './targets.ts'

/** One blow; times since the beginning of the chaos. */
export interface Fault {
  readonly atMs: number
  /** When it is mended: what was killed is started, what stood still goes on, the network is well. */
  readonly untilMs: number
  readonly target: Target
  readonly kind: Kind
}

export const STRIKE_EVERY_MS = 3_000
const PAIR_SHARE = 0.4

/** Longer than the session of a consumer: who stood still so long finds its partitions given to others. */
const LASTS_MS: Readonly<Record<Kind, { readonly from: number; readonly to: number }>> = {
  kill: { from: 0, to: 4_000 },
  restart: { from: 0, to: 2_000 },
  freeze: { from: 1_000, to: 18_000 },
  latency: { from: 3_000, to: 12_000 },
  bandwidth: { from: 3_000, to: 12_000 },
  resets: { from: 3_000, to: 12_000 },
  'half-open': { from: 2_000, to: 15_000 },
}
export const MAX_FAULT_MS = Math.max(...Object.values(LASTS_MS).map(({ to }) => to))

/** Before it is struck again, it is given time to come back; a server on the JVM wants more of it. */
const REST_MS = { process: 4_000, server: 15_000 }
export const MAX_REST_MS = REST_MS.server

/**
 * Every three seconds one target is struck or two at once, never one that is down; all is mended at `lengthMs`. The same
 * for the same seed.
 */
export function scheduleOf(seed: number, lengthMs: number): readonly Fault[] {
  const random = seeded(seed)
  const freeAtMs = new Map<Target, number>()
  const faults: Fault[] = []
  for (let atMs = 0; atMs < lengthMs; atMs += STRIKE_EVERY_MS) {
    const free = TARGETS.filter((target) => (freeAtMs.get(target) ?? 0) <= atMs)
    const count = Math.min(free.length, random() < PAIR_SHARE ? 2 : 1)
    for (let struck = 0; struck < count; struck++) {
      const [target] = free.splice(Math.floor(random() * free.length), 1)
      const kind = KINDS[Math.floor(random() * KINDS.length)]!
      const { from, to } = LASTS_MS[kind]
      const untilMs = Math.min(lengthMs, atMs + Math.round(from + random() * (to - from)))
      faults.push({ atMs, untilMs, target: target!, kind })
      freeAtMs.set(target!, untilMs + (isServer(target!) ? REST_MS.server : REST_MS.process))
    }
  }
  return faults
}
