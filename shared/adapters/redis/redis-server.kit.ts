import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'
import { Redis } from 'ioredis'

/** A Redis of a test's own, that it may freeze and kill. Holds everything in memory, listens on loopback. */
export class RedisServer implements AsyncDisposable {
  readonly port: number
  readonly #options: readonly string[]
  #process: ChildProcess
  #cannotRun: Error | undefined

  /** @param options as on the command line of redis-server, e.g. `--requirepass`, `secret`. */
  static async start(options: readonly string[] = [], port?: number): Promise<RedisServer> {
    const server = new RedisServer(port ?? (await freePort()), options)
    await server.#untilItListens()
    return server
  }

  private constructor(port: number, options: readonly string[]) {
    this.port = port
    this.#options = options
    this.#process = this.#spawn()
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** That comes back whenever the server does. Yours to disconnect. */
  newClient(): Redis {
    const redis = new Redis(this.url, { retryStrategy: () => 50 })
    redis.on('error', () => {}) // tests kill the server
    return redis
  }

  /** Stands still with its sockets open, as a machine that swaps or a process that is paused. */
  freeze(): void {
    this.#process.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exit = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exit
  }

  /** As after a crash: empty, unless it was told where to save and did. */
  async restart(): Promise<void> {
    await this.kill()
    this.#process = this.#spawn()
    await this.#untilItListens()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  #spawn(): ChildProcess {
    const fixed = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    const child = spawn('redis-server', [...fixed, ...this.#options], {
      stdio: 'ignore',
      env: { ...process.env, LC_ALL: 'C' },
    })
    child.once('error', (cause) => {
      this.#cannotRun = new Error(
        'this test runs a Redis of its own, for which redis-server must be on PATH',
        {
          cause,
        },
      )
    })
    return child
  }

  async #untilItListens(): Promise<void> {
    const deadlineMs = Date.now() + LISTENS_WITHIN_MS
    while (!(await listens(this.port))) {
      if (this.#cannotRun !== undefined) throw this.#cannotRun
      if (Date.now() > deadlineMs) throw new Error(`redis-server does not listen on ${this.port}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

const LISTENS_WITHIN_MS = 10_000

/** As infra/up's PortPicker does it, which adapters must not import. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return (address as { port: number }).port
}

async function listens(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
