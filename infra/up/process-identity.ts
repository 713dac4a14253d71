import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** A process as told apart from every other that ever bore, or will bear, its number. */
export interface ProcessIdentity {
  readonly pid: number
  /** Boot and kernel start time: a pid is used again, a pair of both is not. */
  readonly startedAt: string
}

interface ProcessRow extends ProcessIdentity {
  readonly groupId: number
  /** Killed, while other threads of it have not ended: as long as that lasts it holds its ports and files. */
  readonly isEnding: boolean
}

/** undefined when no such process runs (any more). A zombie does not run. */
export function identify(pid: number): ProcessIdentity | undefined {
  const row = process.platform === 'linux' ? readStat(pid) : listWithPs().find((other) => other.pid === pid)
  return row && !row.isEnding ? { pid, startedAt: row.startedAt } : undefined
}

export function isRunning({ pid, startedAt }: ProcessIdentity): boolean {
  return identify(pid)?.startedAt === startedAt
}

/**
 * Everything of the group that `leader` led and that still runs or is just ending, also when the leader itself has died.
 * A number is not given out anew while a group bears it, so when another process has the pid, the group is over.
 */
export function groupMembers(leader: ProcessIdentity): readonly number[] {
  const now = identify(leader.pid)
  if (now ? now.startedAt !== leader.startedAt : bootOf(leader.startedAt) !== currentBoot()) return []
  const rows = process.platform === 'linux' ? listProc() : listWithPs()
  return rows.filter(({ groupId }) => groupId === leader.pid).map(({ pid }) => pid)
}

function listProc(): ProcessRow[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(Number(name)) ?? [])
}

function readStat(pid: number): ProcessRow | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'), currentBoot())
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

/** `/proc/<pid>/stat`; the name of the program stands in brackets and may itself hold brackets and spaces. */
export function parseStat(text: string, boot: string): ProcessRow | undefined {
  const [state, , groupId, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const isZombie = state === 'Z'
  const threads = Number(rest[14])
  if (state === 'X' || (isZombie && threads <= 1)) return undefined
  const startedAt = `${boot} ${rest[16]}`
  return { pid: Number.parseInt(text, 10), groupId: Number(groupId), startedAt, isEnding: isZombie }
}

/** macOS has no /proc; its `ps` knows the start to the second. */
function listWithPs(): ProcessRow[] {
  const text = execFileSync('ps', ['-axo', 'pid=,pgid=,stat=,lstart='], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  return text.split('\n').flatMap((line) => {
    const [, pid, groupId, state, startedAt] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line) ?? []
    if (startedAt === undefined || state?.startsWith('Z')) return []
    const identity = { pid: Number(pid), startedAt: `${currentBoot()} ${startedAt}` }
    return [{ ...identity, groupId: Number(groupId), isEnding: false }]
  })
}

function bootOf(startedAt: string): string | undefined {
  return startedAt.split(' ')[0]
}

function currentBoot(): string {
  return process.platform === 'linux'
    ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    : process.platform
}
