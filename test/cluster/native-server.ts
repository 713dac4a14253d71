import { randomBytes, randomInt } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@freshet/stage/clock.ts'
import { down } from '@freshet/up/down.ts'
import { NativeStarter } from '@freshet/up/native.ts'
import { groupMembers, identify, isRunning, type ProcessIdentity } from '@freshet/up/process-identity.ts'
import type { Server } from '@freshet/up/server.ts'
import type { NativeProcess } from '@freshet/up/services-file.ts'
import { stopProcess } from '@freshet/up/stop-process.ts'
import { cpuMicrosOf } from '../bench/cost.ts'

const START_MS = 240_000
/** Git-ignored, and shared by all tests of this checkout. */
export const TESTS_FOLDER = join(import.meta.dirname, '..', '..', '.freshet')

const HOME_NAME = /^own-[a-z]+-[0-9a-f]{10}$/

/** A server of a test's own, on any free ports, that the test may kill and start again with its data. */
export class NativeServer implements AsyncDisposable {
  readonly #server: Server
  readonly #home: string
  #process: NativeProcess | undefined

  /** Resolves when it answers. @throws TOOL_MISSING, DOWNLOAD_FAILED, SERVICE_START_FAILED */
  static async start(server: Server): Promise<NativeServer> {
    const started = new NativeServer(server)
    try {
      await started.restart()
      return started
    } catch (error) {
      await started[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(server: Server) {
    this.#server = { ...server, ports: { client: lastingPort(), inner: lastingPort() } }
    this.#home = join(TESTS_FOLDER, `own-${server.name}-${randomBytes(5).toString('hex')}`)
    mkdirSync(TESTS_FOLDER, { recursive: true })
    writeFileSync(ownerFile(this.#home), JSON.stringify(identify(process.pid))) // before there is a home to be found
    alive.add(this)
  }

  /** undefined while it is down. */
  get port(): number | undefined {
    return this.#process?.port
  }

  /** Of all its processes, since they began. */
  cpuMicros(): number {
    return this.#process === undefined
      ? 0
      : groupMembers(this.#process).reduce((sum, pid) => sum + cpuMicrosOf(pid), 0)
  }

  /** As pulling the plug: every process of it, at once. Resolves when they are gone. */
  async kill(): Promise<void> {
    const leader = this.#process
    if (leader === undefined) return
    this.#process = undefined
    this.#signal(leader, 'SIGKILL')
    while (groupMembers(leader).length > 0) await systemClock.sleep(20)
  }

  /** Asks it to end, as an operator does. Resolves when it is gone. @throws SERVICE_STOP_FAILED */
  async stop(): Promise<void> {
    const leader = this.#process
    if (leader === undefined) return
    this.#process = undefined
    await stopProcess(this.#server.name, leader)
  }

  /** It takes connections and answers nothing, until it is thawed or killed. */
  freeze(): void {
    if (this.#process) this.#signal(this.#process, 'SIGSTOP')
  }

  thaw(): void {
    if (this.#process) this.#signal(this.#process, 'SIGCONT')
  }

  /** Starts it with the data that it had. */
  async restart(): Promise<void> {
    const starter = new NativeStarter({
      home: this.#home,
      env: process.env,
      wishes: {},
      report: () => {},
      signal: AbortSignal.timeout(START_MS),
    })
    this.#process = (await starter.start(this.#server)).process
  }

  /** For when the test itself ends without a chance to wait. */
  killNow(): void {
    if (this.#process) this.#signal(this.#process, 'SIGKILL')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await remove(this.#home)
    alive.delete(this)
  }

  #signal(leader: NativeProcess, signal: NodeJS.Signals): void {
    for (const pid of groupMembers(leader))
      try {
        process.kill(pid, signal)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // ended by itself meanwhile
      }
  }
}

/** A test that runs out of time is not asked to clean up. */
const alive = new Set<NativeServer>()
process.once('exit', () => {
  for (const server of alive) server.killNow()
})

/** Stops what tests left behind that were themselves killed. Those of tests that run are left alone. */
export async function clearLeftovers(): Promise<void> {
  for (const name of readdirSync(TESTS_FOLDER)) {
    const home = join(TESTS_FOLDER, name)
    if (HOME_NAME.test(name) && !isOwned(home)) await remove(home)
  }
}

async function remove(home: string): Promise<void> {
  await down({ home, purge: true, report: () => {} })
  rmSync(ownerFile(home), { force: true })
}

/** Names the process whose server it is. */
function ownerFile(home: string): string {
  return `${home}.owner`
}

function isOwned(home: string): boolean {
  try {
    return isRunning(JSON.parse(readFileSync(ownerFile(home), 'utf8')) as ProcessIdentity)
  } catch {
    return false
  }
}

/** Below those that systems hand out to connections, so that nobody takes it while the server is down. */
export function lastingPort(): number {
  return randomInt(20_000, 30_000)
}
