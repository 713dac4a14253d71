/** Carries a schedule out on a running pipeline, and tells of each blow. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Weather } from '../cluster/front-door.ts'
import type { Done } from './alerts.ts'
import type { Fault } from './schedule.ts'
import type { ChaosServers } from './servers.ts'
import { isServer, type Kind, type ProcessTarget, type ServerTarget, type Target } from './targets.ts'
import type { ChaosWorld } from './world.ts'

const WEATHER: Partial<Record<Kind, Weather>> = {
  latency: { latencyMs: 150 },
  bandwidth: { bytesPerSecond: 64_000 },
  resets: { resetShare: 0.1 },
  'half-open': { isHalfOpen: true },
}
/** In order, who is asked to end gives up what it cannot finish. */
const END_MS = 45_000

export interface Struck {
  readonly done: readonly Done[]
  /** Not done, since the target had not come back from its last one. */
  readonly passedOver: number
  /** What went wrong that no verdict sees otherwise. */
  readonly findings: readonly string[]
}

/** Resolves when the last one is mended. Stops striking when `signal` aborts; what is broken is mended. */
export async function strike(
  world: ChaosWorld,
  faults: readonly Fault[],
  { tell, signal }: { tell: (line: string) => void; signal: AbortSignal },
): Promise<Struck> {
  const startMs = performance.now()
  const until = (atMs: number) => sleep(Math.max(0, startMs + atMs - performance.now()))
  const busy = new Set<Target>()
  const done: Done[] = []
  const findings: string[] = []
  let passedOver = 0
  await Promise.all(
    faults.map(async ({ target, kind, atMs, untilMs }) => {
      await until(atMs)
      if (signal.aborted) return
      if (busy.has(target)) {
        passedOver++
        return tell(`${target}: ${kind} is passed over, it is not back yet`)
      }
      busy.add(target)
      const begunMs = Date.now()
      tell(`${target}: ${kind} for ${((untilMs - atMs) / 1_000).toFixed(1)} s`)
      try {
        const { mend, finding } = await begin(world, target, kind)
        if (finding !== undefined) findings.push(finding)
        await until(untilMs)
        await mend()
        tell(`${target}: back from ${kind} after ${((Date.now() - begunMs) / 1_000).toFixed(1)} s`)
      } catch (error) {
        findings.push(`${target}, ${kind}: ${(error as Error).message}`)
        tell(`${target}: ${kind} failed: ${(error as Error).message}`)
      }
      done.push({ target, kind, atMs: begunMs, overAtMs: Date.now() })
      busy.delete(target)
    }),
  )
  return { done, passedOver, findings }
}

interface Begun {
  readonly mend: () => unknown
  /** What is wrong already. */
  readonly finding?: string | undefined
}

async function begin(world: ChaosWorld, target: Target, kind: Kind): Promise<Begun> {
  const weather = WEATHER[kind]
  if (weather !== undefined) {
    await world.servers.doors.setWeather(target, weather)
    return { mend: () => world.servers.doors.setWeather(target, {}) }
  }
  return isServer(target) ? beginServer(world.servers, target, kind) : beginProcess(world, target, kind)
}

async function beginServer(servers: ChaosServers, target: ServerTarget, kind: Kind): Promise<Begun> {
  if (kind === 'freeze') {
    servers.of(target).freeze()
    return { mend: () => servers.of(target).thaw() }
  }
  await servers.takeAway(target, kind === 'kill' ? 'kill' : 'stop')
  return { mend: () => servers.bringBack(target) }
}

async function beginProcess(world: ChaosWorld, target: ProcessTarget, kind: Kind): Promise<Begun> {
  if (kind === 'freeze') {
    world.freeze(target)
    return { mend: () => world.thaw(target) }
  }
  const mend = () => world.start(target)
  if (kind === 'kill') {
    await world.end(target, 'SIGKILL')
    return { mend }
  }
  return { mend, finding: await world.endInOrder(target, END_MS) }
}
