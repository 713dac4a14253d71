import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ErrorCode } from '@freshet/errors/errors.ts'
import type { Replaced } from '@freshet/records/heartbeat.ts'
import { instanceName } from '@freshet/service/instance-name.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { NODE_FLAGS } from './node-flags.ts'
import type { ServiceName } from './services.ts'

const BACK_OFF = { firstMs: 500, maxMs: 30_000 }
/** A service that ran this long has recovered: its next crash starts the back-off anew. */
const RECOVERED_MS = 60_000
/** What is wrong from the start shows sooner than this. */
const STARTED_MS = 20_000
/** Of those that ended before: who did not even come to say a word is known to nobody. */
const MAX_REPLACED = 20
const CANNOT_WORK = 2
/** Faults of what someone has just written: nothing but mending it helps. Servers and data may mend without a word to us. */
const OF_SETTINGS: ReadonlySet<ErrorCode> = new Set([
  'CONFIG_INVALID',
  'CONFIG_MISSING',
  'USAGE',
  'PORT_TAKEN',
])
/** A little more than a service gives itself; one that is frozen cannot even do that. */
const KILL_AFTER_MS = 12_000

/**
 * One process a service. One that ends unasked is started again, at growing intervals, and never disturbs the others: the
 * gateway answers whatever is broken. Only one that cannot work (exit code 2) from the very start, for a fault of the
 * settings or the command line, ends them all, since then someone is looking. A signal is passed on to all, and who does not end in time is killed.
 * @returns the exit code: 0 when all stopped as asked, 2 when one could not begin.
 */
export async function supervise(names: readonly ServiceName[], config: string | undefined): Promise<number> {
  const stop = new AbortController()
  const children = new Set<ChildProcess>()
  const passOn = () => stop.abort()
  process.on('SIGTERM', passOn).on('SIGINT', passOn)
  stop.signal.addEventListener('abort', () => {
    for (const child of children) child.kill('SIGTERM')
    setTimeout(() => {
      for (const child of children) child.kill('SIGKILL')
    }, KILL_AFTER_MS).unref()
  })
  const codes = await Promise.all(names.map(keepRunning))
  process.off('SIGTERM', passOn).off('SIGINT', passOn)
  return Math.max(...codes)

  async function keepRunning(name: ServiceName): Promise<number> {
    let isFirst = true
    let replaced: Replaced | undefined
    for (let crashes = 0; ; crashes++) {
      const startedAtMs = systemClock.nowMs()
      const { instance, code, why } = await runOnce(name, replaced)
      const ranMs = systemClock.nowMs() - startedAtMs
      const isOfSettings = code === CANNOT_WORK && (why === undefined || OF_SETTINGS.has(why))
      if (isFirst && isOfSettings && ranMs < STARTED_MS && !stop.signal.aborted) {
        process.stderr.write(`freshet: ${name} cannot begin, see above; stopping all\n`)
        stop.abort()
        return CANNOT_WORK
      }
      if (stop.signal.aborted || code === 0) return 0
      isFirst = false
      const instances = [...(replaced?.instances ?? []), instance].slice(-MAX_REPLACED)
      replaced = { instances, ended: `${code}` }
      if (ranMs > RECOVERED_MS) crashes = 0
      const waitMs = delayMs(BACK_OFF, crashes, Math.random)
      process.stderr.write(`freshet: ${name} ended with ${code}; starting it again in ${waitMs} ms\n`)
      await systemClock.sleep(waitMs, stop.signal)
      if (stop.signal.aborted) return 0
    }
  }

  async function runOnce(name: ServiceName, replaced: Replaced | undefined): Promise<Ended> {
    const program = fileURLToPath(new URL('freshet.ts', import.meta.url))
    const args = [
      ...(config === undefined ? [] : ['--config', config]),
      ...['run', name],
      ...(replaced === undefined ? [] : ['--replaces', JSON.stringify(replaced)]),
    ]
    const child = spawn(process.execPath, [...NODE_FLAGS, program, ...args], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      detached: true,
    })
    children.add(child)
    let why: ErrorCode | undefined
    child.on('message', (message: Farewell) => {
      why = message.errorCode
    })
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    children.delete(child)
    return { instance: instanceName(name, child.pid), code: code ?? signal ?? 1, why }
  }
}

interface Ended {
  readonly instance: string
  readonly code: number | string
  /** undefined when it did not come far enough to say: it was its settings or command line. */
  readonly why: ErrorCode | undefined
}

interface Farewell {
  readonly errorCode: ErrorCode
}

/** Why this process, a supervised one, ends: the exit code alone does not say. */
export async function tellSupervisor(errorCode: ErrorCode): Promise<void> {
  const farewell: Farewell = { errorCode }
  if (process.connected) await new Promise<unknown>((resolve) => process.send!(farewell, resolve))
}
