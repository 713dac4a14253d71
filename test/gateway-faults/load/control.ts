/**
 * A process that does nothing but look how late its own timer is, and how long the main threads of others were ready to
 * run and did not get a core: what the machine did while the gateway was asked.
 */

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Stall } from './generator.ts'
import { monotonicMs } from './monotonic.ts'

export interface ControlOrder {
  /** Whose main threads are looked at. */
  readonly pids: readonly number[]
}

export interface ControlReport {
  /** When the control process or one of the others was kept from running, by monotonicMs. */
  readonly stalls: readonly Stall[]
  /** How late its timer was at most. */
  readonly maxLateMs: number
}

const TICK_MS = 5
const NOTICED_MS = 3

if (process.send !== undefined) {
  const [order] = (await once(process, 'message')) as [ControlOrder]
  const watch = watchMachine(order.pids)
  process.send('watches')
  await once(process, 'message')
  process.send(watch(), () => process.disconnect())
}

function watchMachine(pids: readonly number[]): () => ControlReport {
  const stalls: Stall[] = []
  let maxLateMs = 0
  let tickedAtMs = monotonicMs()
  const waited = new Map(pids.map((pid) => [pid, waitedMs(pid)]))
  const timer = setInterval(() => {
    const nowMs = monotonicMs()
    const lateMs = nowMs - tickedAtMs - TICK_MS
    maxLateMs = Math.max(maxLateMs, lateMs)
    if (lateMs > NOTICED_MS) stalls.push({ fromMs: tickedAtMs, toMs: nowMs })
    for (const [pid, before] of waited) {
      const after = waitedMs(pid)
      if (after - before > NOTICED_MS)
        stalls.push({ fromMs: nowMs - Math.max(TICK_MS, after - before), toMs: nowMs })
      waited.set(pid, after)
    }
    tickedAtMs = nowMs
  }, TICK_MS)
  return () => {
    clearInterval(timer)
    return { stalls, maxLateMs }
  }
}

/** How long the main thread has waited for a core since it began; 0 where the kernel does not tell, or it is gone. */
function waitedMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}
