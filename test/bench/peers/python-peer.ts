import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { FreshetError } from '@freshet/errors/errors.ts'
import { findTool } from '@freshet/up/find-tool.ts'
import { PortPicker } from '@freshet/up/ports.ts'
import { until } from '../../until.ts'
import { fetchInto, PEERS_FOLDER, PEERS_SOURCES } from './fetch-peer.ts'

const START_MS = 60_000

/** A folder of bench/peers as a server: `python main.py <port> <args>` in a virtual environment of its own. */
export class PythonPeer implements AsyncDisposable {
  readonly port: number
  readonly #child: ChildProcess

  /** @throws TOOL_MISSING, DOWNLOAD_FAILED */
  static async start(name: string, args: readonly string[]): Promise<PythonPeer> {
    const python = await environmentOf(name)
    const port = await new PortPicker().pick([])
    const program = join(PEERS_SOURCES, name, 'main.py')
    const child = spawn(python, [program, `${port}`, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
    const peer = new PythonPeer(port, child)
    const hasEnded = () => child.exitCode !== null
    const listens = async () => hasEnded() || (await accepts(port))
    await until(`the peer ${name} listens`, listens, { giveUpMs: START_MS })
    if (hasEnded()) throw new Error(`the peer ${name} has ended; its last words are above`)
    return peer
  }

  private constructor(port: number, child: ChildProcess) {
    this.port = port
    this.#child = child
  }

  get pid(): number {
    return this.#child.pid!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#child.once('exit', () => resolve())
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL') // it has nothing to lose
    await promise
  }
}

/** Made when its requirements are not those that it was made for. @returns its interpreter */
async function environmentOf(name: string): Promise<string> {
  const folder = join(PEERS_FOLDER, name)
  const python = join(folder, 'bin', 'python')
  const requirements = join(PEERS_SOURCES, name, 'requirements.txt')
  const stamp = join(folder, 'requirements.txt')
  const wanted = readFileSync(requirements, 'utf8')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python
  const host = findTool(['python3'], process.env)
  if (host === undefined) throw new FreshetError('TOOL_MISSING', `the peer ${name} needs python3 on PATH`)
  rmSync(folder, { recursive: true, force: true })
  await fetchInto(name, host, ['-m', 'venv', folder])
  await fetchInto(name, python, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements])
  writeFileSync(stamp, wanted)
  return python
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host: '127.0.0.1', port })
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
