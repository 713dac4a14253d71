/**
 * A process that does nothing but look how late its own timer is, and how long the main threads of others were ready to
 * run and did not get a core: what the machine did while the gateway was asked. What the gateway's other threads (of its
 * model, of its snapshot) computed meanwhile is taken off: for that the machine is not to blame.
 */

import { once } from 'node:events'
import type { Stall } from './generator.ts'
import { monotonicMs } from './monotonic.ts'
import { ThreadTimes } from './thread-times.ts'
import { UsedCpu } from './used-cpu.ts'

export interface ControlOrder {
  readonly gatewayPid: number
  readonly generatorPid: number
}

export interface ControlReport {
  /** When the control process or one of the others was kept from running, and not by the gateway; by monotonicMs. */
  readonly stalls: readonly Stall[]
  /** How late its timer was at most. */
  readonly maxLateMs: number
  /** What the gateway's threads had done by then, every few milliseconds. */
  readonly samples: readonly ThreadSample[]
  /** How long its threads beside the main one, all together, had been ready to run without a core; as often. */
  readonly waits: readonly ThreadWait[]
}

export interface ThreadWait {
  /** By monotonicMs. */
  readonly atMs: number
  readonly othersWaitedMs: number
}

export interface ThreadSample {
  /** By monotonicMs. */
  readonly atMs: number
  /** Of the main thread: with a core, and ready to run without one. */
  readonly mainRanMs: number
  readonly mainWaitedMs: number
  readonly othersRanMs: number
}

const TICK_MS = 5
const NOTICED_MS = 3

if (process.send !== undefined) {
  const [order] = (await once(process, 'message')) as [ControlOrder]
  const watch = watchMachine(order)
  process.send('watches')
  await once(process, 'message')
  process.send(watch(), () => process.disconnect())
}

function watchMachine({ gatewayPid, generatorPid }: ControlOrder): () => ControlReport {
  const stalls: Stall[] = []
  const gateway = new ThreadTimes(gatewayPid)
  const generator = new ThreadTimes(generatorPid)
  const byOurs = new UsedCpu()
  let maxLateMs = 0
  let tickedAtMs = monotonicMs()
  const samples: ThreadSample[] = []
  const waits: ThreadWait[] = []
  let [gatewayWaitedMs, generatorWaitedMs] = [gateway.main().waitedMs, generator.main().waitedMs]
  const stalled = (nowMs: number, ms: number) => {
    if (ms > NOTICED_MS) stalls.push({ fromMs: nowMs - Math.max(TICK_MS, ms), toMs: nowMs })
  }
  const timer = setInterval(() => {
    const nowMs = monotonicMs()
    const { ranMs: mainRanMs, waitedMs: mainWaitedMs } = gateway.main()
    const { waitedMs: callersWaitedMs } = generator.main()
    const { ranMs: othersRanMs, waitedMs: othersWaitedMs } = gateway.others()
    const lateMs = nowMs - tickedAtMs - TICK_MS
    const gatewayMs = mainWaitedMs - gatewayWaitedMs
    byOurs.add(nowMs, othersRanMs)
    samples.push({ atMs: nowMs, mainRanMs, mainWaitedMs, othersRanMs })
    waits.push({ atMs: nowMs, othersWaitedMs })
    maxLateMs = Math.max(maxLateMs, lateMs)
    stalled(nowMs, lateMs - byOurs.sinceMs(tickedAtMs))
    stalled(nowMs, gatewayMs - byOurs.sinceMs(nowMs - gatewayMs))
    stalled(nowMs, callersWaitedMs - generatorWaitedMs) // callers are elsewhere in earnest
    ;[gatewayWaitedMs, generatorWaitedMs] = [mainWaitedMs, callersWaitedMs]
    tickedAtMs = nowMs
  }, TICK_MS)
  return () => {
    clearInterval(timer)
    return { stalls, maxLateMs, samples, waits }
  }
}
