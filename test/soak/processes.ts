/** What named processes have taken, as the kernel counts. Linux. */
import { readFileSync } from 'node:fs'
import { cpuMicrosOf } from '../bench/cost.ts'

export interface ProcessLook {
  readonly cpuSeconds: number
  readonly rssMiB: number
  /** Of that, without pages of files that are mapped: what nobody can take away from it. */
  readonly ownMiB: number
}

/** @param pidsOf several where a server is a group of processes; a number that has just ended counts for nothing */
export function lookAtProcesses(pidsOf: ReadonlyMap<string, readonly number[]>): Record<string, ProcessLook> {
  return Object.fromEntries([...pidsOf].map(([name, pids]) => [name, sumOf(pids.map(lookAt))]))
}

function lookAt(pid: number): ProcessLook {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const rssMiB = mib(status, 'VmRSS')
    return { cpuSeconds: cpuMicrosOf(pid) / 1e6, rssMiB, ownMiB: rssMiB - mib(status, 'RssFile') }
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return NOTHING
    throw error
  }
}

const NOTHING: ProcessLook = { cpuSeconds: 0, rssMiB: 0, ownMiB: 0 }

function mib(status: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)
  return match === null ? 0 : Number(match[1]) / 1_024
}

function sumOf(looks: readonly ProcessLook[]): ProcessLook {
  const sum = (of: keyof ProcessLook) =>
    Math.round(looks.reduce((total, look) => total + look[of], 0) * 100) / 100
  return { cpuSeconds: sum('cpuSeconds'), rssMiB: sum('rssMiB'), ownMiB: sum('ownMiB') }
}
