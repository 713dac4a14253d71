import type { Buffer } from 'node:buffer'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { NODE_FLAGS } from '@freshet/cli/node-flags.ts'
import { PROGRAM, type ServiceName, type Stack } from '../stack.ts'
import type { Memory } from './memory-curve.ts'

const REPORTER = fileURLToPath(new URL('./report-memory.ts', import.meta.url))
const MIB = 2 ** 20

/** A program which tells every second what it holds, from within; with the flags that services run with. */
export class ReportingProcess implements AsyncDisposable {
  readonly pid: number
  /** As last told; undefined in the first second. */
  memory: Memory | undefined
  readonly #child
  readonly #ended = new AbortController()

  constructor(program: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = fork(program, args, {
      execArgv: [...NODE_FLAGS, '--import', REPORTER],
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.pid = this.#child.pid!
    let lines = ''
    this.#child.stderr!.on('data', (text: Buffer) => {
      lines = (lines + text.toString()).slice(-4_000)
    })
    this.#child.on('exit', () =>
      this.#ended.abort(new Error(`${program} ${args.join(' ')} has ended: ${lines}`)),
    )
    this.#child.on('message', (told) => {
      if (typeof told === 'string') return // the program's own word
      const { rss, heapUsed, external } = told as NodeJS.MemoryUsage
      this.memory = { rssMiB: rss / MIB, heapMiB: heapUsed / MIB, externalMiB: external / MIB }
    })
  }

  /** Aborts with its last lines as the reason when it ends. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.ended.aborted) return
    this.#child.kill()
    await once(this.#child, 'exit')
  }
}

/** A service as a user runs it. */
export function reportingService({ env }: Stack, service: ServiceName): ReportingProcess {
  return new ReportingProcess(PROGRAM, ['run', service], env)
}
