import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { delayMs } from '@freshet/stage/back-off.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { NODE_FLAGS } from './node-flags.ts'
import type { ServiceName } from './services.ts'

const BACK_OFF = { firstMs: 500, maxMs: 30_000 }
/** A service that ran this long has recovered: its next crash starts the back-off anew. */
const RECOVERED_MS = 60_000
const CANNOT_WORK = 2

/**
 * One process a service. One that crashes is started again; one that cannot work (exit code 2) ends them all, since
 * someone has to mend it; a signal is passed on to all.
 * @returns the exit code: 0 when all stopped as asked, else that of the first that could not work.
 */
export async function supervise(names: readonly ServiceName[], config: string | undefined): Promise<number> {
  const stop = new AbortController()
  const children = new Set<ChildProcess>()
  const passOn = () => stop.abort()
  process.on('SIGTERM', passOn).on('SIGINT', passOn)
  stop.signal.addEventListener('abort', () => {
    for (const child of children) child.kill('SIGTERM')
  })
  const codes = await Promise.all(names.map(keepRunning))
  process.off('SIGTERM', passOn).off('SIGINT', passOn)
  return Math.max(...codes)

  async function keepRunning(name: ServiceName): Promise<number> {
    for (let crashes = 0; ; crashes++) {
      const startedAtMs = systemClock.nowMs()
      const code = await runOnce(name)
      if (code === CANNOT_WORK) stop.abort()
      if (stop.signal.aborted || code === 0) return code === CANNOT_WORK ? CANNOT_WORK : 0
      if (systemClock.nowMs() - startedAtMs > RECOVERED_MS) crashes = 0
      const waitMs = delayMs(BACK_OFF, crashes, Math.random)
      process.stderr.write(`freshet: ${name} ended with ${code}; starting it again in ${waitMs} ms\n`)
      await systemClock.sleep(waitMs, stop.signal)
      if (stop.signal.aborted) return 0
    }
  }

  async function runOnce(name: ServiceName): Promise<number | string> {
    const program = fileURLToPath(new URL('freshet.ts', import.meta.url))
    const args = [...(config === undefined ? [] : ['--config', config]), 'run', name]
    const child = spawn(process.execPath, [...NODE_FLAGS, program, ...args], {
      stdio: 'inherit',
      detached: true,
    })
    children.add(child)
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    children.delete(child)
    return code ?? signal ?? 1
  }
}
