/** What a process holds, and whether it has given back what the faults made it take. Linux. */
import { readdirSync, readFileSync } from 'node:fs'

export interface Resources {
  /** Resident, without pages of files. */
  readonly memoryMiB: number
  readonly files: number
}

/**
 * A process that leaks a descriptor at each fault has tens of them at the end of a round; pools that open a connection
 * more after a break have a few. Memory: V8 gives back late, and a retry holds a batch twice; a process that keeps what
 * it could not send grows by hundreds of MiB in the minutes of a round.
 */
const MORE_FILES = 12
const MORE_MEMORY = { share: 0.5, mib: 48 }

export function resourcesOf(pid: number): Resources {
  const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return { memoryMiB: Number(kilobytes) / 1_024, files: readdirSync(`/proc/${pid}/fd`).length }
}

export function isBack(now: Resources, before: Resources): boolean {
  return now.files <= before.files + MORE_FILES && now.memoryMiB <= mostMemoryMiB(before)
}

function mostMemoryMiB({ memoryMiB }: Resources): number {
  return memoryMiB * (1 + MORE_MEMORY.share) + MORE_MEMORY.mib
}
