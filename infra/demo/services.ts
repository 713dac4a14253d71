import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { GatewayClient } from './gateway-client.ts'
import { withoutSettings } from './own-settings.ts'

const PROGRAM = fileURLToPath(new URL('../../services/cli/freshet.ts', import.meta.url))
const READY_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 15_000

/** `freshet run all` as a process of its own, as an operator would start it. */
export class RunningServices implements AsyncDisposable {
  readonly logFile: string
  readonly #child: ReturnType<typeof spawn>
  readonly #ended: Promise<unknown>

  /** @param env all settings but the ports: none is taken of the environment. */
  constructor({
    env,
    home,
    gatewayPort,
    pagePort,
  }: { env: Record<string, string>; home: string; gatewayPort: number; pagePort: number }) {
    this.logFile = join(home, 'logs', 'freshet.log')
    mkdirSync(dirname(this.logFile), { recursive: true })
    const log = createWriteStream(this.logFile, { flags: 'a' })
    this.#child = spawn(process.execPath, [PROGRAM, 'run', 'all'], {
      env: {
        ...{ ...withoutSettings(process.env), ...env, FRESHET_HOME: home },
        FRESHET_GATEWAY_PORT: String(gatewayPort),
        FRESHET_WATCHDOG_PAGE_PORT: String(pagePort),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // Ctrl-C is for us to pass on, after the last answer
    })
    this.#child.stdout?.pipe(log, { end: false })
    this.#child.stderr?.pipe(log, { end: false })
    this.#ended = once(this.#child, 'exit')
  }

  /** Resolves when the gateway can answer. @throws SERVICE_START_FAILED */
  async ready(gateway: GatewayClient, signal: AbortSignal): Promise<void> {
    const giveUpAtMs = performance.now() + READY_WITHIN_MS
    while (!(await gateway.isReady())) {
      signal.throwIfAborted()
      if (this.#child.exitCode !== null || performance.now() > giveUpAtMs)
        throw new FreshetError('SERVICE_START_FAILED', `the services do not come up, see ${this.logFile}`)
      await sleep(200)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    this.#child.kill('SIGTERM')
    await Promise.race([this.#ended, sleep(STOP_WITHIN_MS, undefined, { ref: false })])
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL')
  }
}
