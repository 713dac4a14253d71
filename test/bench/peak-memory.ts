import { readFileSync } from 'node:fs'

/** The most that a process has held in memory since its start, as the kernel counts (RSS). On Linux. */
export function peakMiBOf(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  if (match === null) throw new Error(`process ${pid} does not tell its peak`)
  return Number(match[1]) / 1_024
}
