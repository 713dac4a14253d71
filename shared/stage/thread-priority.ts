import { readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { basename } from 'node:path'

/**
 * From now on the thread that calls this gets a core before others only when these leave it one. Linux keeps a niceness for
 * each thread; elsewhere it belongs to the process, so nothing is done there. What forbids it is a warning, no failure.
 * @param niceness 0 to 19.
 */
export function lowerThreadPriority(niceness: number): void {
  if (process.platform !== 'linux') return
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')))
    if (getPriority(thread) < niceness) setPriority(thread, niceness)
  } catch (error) {
    process.emitWarning(`a thread keeps its priority: ${String(error)}`)
  }
}
