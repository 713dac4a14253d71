import { FreshetError } from '@freshet/errors/errors.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { groupMembers, type ProcessIdentity } from './process-identity.ts'

const GRACE_MS = 20_000
const KILL_MS = 10_000
const LOOK_MS = 50

/**
 * Stops a process and whatever it started in its group: SIGTERM, then SIGKILL. Nothing happens to a stranger that
 * has got the same pid meanwhile. @throws SERVICE_STOP_FAILED
 */
export async function stopProcess(name: string, leader: ProcessIdentity): Promise<void> {
  if (await signalUntilGone(leader, 'SIGTERM', GRACE_MS)) return
  if (await signalUntilGone(leader, 'SIGKILL', KILL_MS)) return
  throw new FreshetError(
    'SERVICE_STOP_FAILED',
    `${name} still runs after SIGKILL: pids ${groupMembers(leader).join(', ')}`,
  )
}

async function signalUntilGone(
  leader: ProcessIdentity,
  signal: NodeJS.Signals,
  deadlineMs: number,
): Promise<boolean> {
  for (const pid of groupMembers(leader)) kill(pid, signal)
  for (const endMs = systemClock.nowMs() + deadlineMs; groupMembers(leader).length > 0; ) {
    if (systemClock.nowMs() > endMs) return false
    await systemClock.sleep(LOOK_MS)
  }
  return true
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // ended by itself meanwhile
  }
}
