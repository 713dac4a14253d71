import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { FreshetError } from '@freshet/errors/errors.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts'

const LOOK_MS = 200

export interface LockOptions {
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
  /** Called once when somebody else holds the lock. */
  readonly onWait?: (holderPid: number) => void
}

/**
 * Waits until nobody else holds the lock at `path`; disposing gives it back. A holder that has died holds nothing.
 * @throws HOME_BUSY after the deadline
 */
export async function lockFile(path: string, options: LockOptions): Promise<Disposable> {
  mkdirSync(dirname(path), { recursive: true })
  const mine = JSON.stringify({ ...identify(process.pid), token: randomUUID() })
  const endMs = systemClock.nowMs() + options.deadlineMs
  for (let waits = 0; ; waits++) {
    if (claim(path, mine)) return { [Symbol.dispose]: () => release(path, mine) }
    const text = read(path)
    const holder = parseHolder(text)
    if (text !== undefined && !(holder && isRunning(holder))) removeStale(path, text)
    else if (holder) {
      if (waits === 0) options.onWait?.(holder.pid)
      if (options.signal?.aborted || systemClock.nowMs() > endMs)
        throw new FreshetError('HOME_BUSY', `${path} is held by process ${holder.pid}`)
      await systemClock.sleep(LOOK_MS, options.signal)
    }
  }
}

/** Written aside and linked into place, so that nobody ever reads half a lock. */
function claim(path: string, mine: string): boolean {
  const aside = `${path}.${randomUUID()}`
  writeFileSync(aside, mine)
  const claimed = link(aside, path)
  rmSync(aside)
  return claimed
}

/** false when something is there already. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function release(path: string, mine: string): void {
  if (read(path) === mine) rmSync(path, { force: true })
}

/** Two may find the same dead lock: the slower one would take away the quicker one's new lock, and puts it back. */
function removeStale(path: string, stale: string): void {
  const aside = `${path}.${randomUUID()}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (read(aside) !== stale) link(aside, path)
  rmSync(aside)
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function parseHolder(text: string | undefined): ProcessIdentity | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as ProcessIdentity)
  } catch {
    return undefined
  }
}
