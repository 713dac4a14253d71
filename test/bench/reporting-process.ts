import type { Buffer } from 'node:buffer'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { NODE_FLAGS } from '@freshet/cli/node-flags.ts'
import { PROGRAM, type Stack } from '../stack.ts'
import type { Memory } from './memory-curve.ts'

const REPORTER = fileURLToPath(new URL('./report-memory.ts', import.meta.url))
const MIB = 2 ** 20

/** A service as a user runs it, which tells every second what it holds, from within. */
export class ReportingProcess implements AsyncDisposable {
  readonly pid: number
  /** As last told; undefined in the first second. */
  memory: Memory | undefined
  readonly #child
  readonly #ended = new AbortController()

  constructor({ env }: Stack, service: string) {
    this.#child = fork(PROGRAM, ['run', service], {
      execArgv: [...NODE_FLAGS, '--import', REPORTER],
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.pid = this.#child.pid!
    let lines = ''
    this.#child.stderr!.on('data', (text: Buffer) => {
      lines = (lines + text.toString()).slice(-4_000)
    })
    this.#child.on('exit', () => this.#ended.abort(new Error(`${service} has ended: ${lines}`)))
    this.#child.on('message', (told) => {
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
