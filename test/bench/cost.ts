/** What processes take: CPU time and memory, of this one and of others. Of others it is read from /proc, so on Linux. */
import { readFileSync } from 'node:fs'

export interface Cost {
  readonly seconds: number
  /** Of all threads. */
  readonly cpuMicros: number
}

/** Does `work` and tells what it cost this process. */
export async function costOf(work: () => Promise<void>): Promise<Cost> {
  const done = stopwatch()
  await work()
  return done()
}

/** @returns what was spent since this call, at each call */
export function stopwatch(): () => Cost {
  const startMs = performance.now()
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return { seconds: (performance.now() - startMs) / 1_000, cpuMicros: user + system }
  }
}

/** CPU time of a process since its start, with all its threads; in steps of 10 ms. */
export function cpuMicrosOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before may hold anything
  const [userTicks, systemTicks] = [Number(fields[11]), Number(fields[12])]
  return ((userTicks + systemTicks) / TICKS_PER_SECOND) * 1e6
}

/** Memory of a process, where what several share counts for each in part; where that is not told, all it holds. */
export function memoryMiBOf(pid: number): number {
  const kib = readKiB(`/proc/${pid}/smaps_rollup`, 'Pss') ?? readKiB(`/proc/${pid}/status`, 'VmRSS')
  if (kib === undefined) throw new Error(`process ${pid} does not tell its memory`)
  return kib / 1_024
}

/** What /proc counts in, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

/** undefined when the file is not ours to read. */
function readKiB(path: string, name: string): number | undefined {
  try {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(path, 'utf8'))
    return match ? Number(match[1]) : undefined
  } catch (error) {
    if (['EACCES', 'EPERM', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
