import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { chooseJdk, findJdks, type Jdk } from './find-jdk.ts'
import { findMaven } from './find-tool.ts'
import { dataFolder } from './home-folders.ts'
import { identify, isRunning } from './process-identity.ts'
import { readProcessRecord, removeRecord, writeProcessRecord } from './run-records.ts'
import type { Launch, Server, Site } from './server.ts'
import { freshLog, logTail } from './server-log.ts'
import { ServerPorts, takenOf } from './server-ports.ts'
import type { NativeProcess } from './services-file.ts'
import { openSoftware, type Software } from './software.ts'
import { stopProcess } from './stop-process.ts'
import { isReachable, makeFolderFor, type User, unprivilegedUser } from './unprivileged-user.ts'
import { untilAnswers } from './until-answers.ts'

const START_MS = 180_000
/** A server that lives but does not answer for so long is started anew. */
const HUNG_MS = 15_000
/** A stranger may take a port between its choice and the moment the server listens. */
const PORT_TRIES = 3

export interface NativeOptions {
  readonly home: string
  readonly env: NodeJS.ProcessEnv
  readonly wishes: Partial<Record<Server['name'], number>>
  readonly report: (line: string) => void
  readonly signal: AbortSignal
}

export interface Started {
  readonly process: NativeProcess
  /** false when it ran already. */
  readonly isNew: boolean
}

/** Starts servers as processes of this machine, in groups of their own so that they outlive us. */
export class NativeStarter {
  readonly #options: NativeOptions
  readonly #ports: ServerPorts
  readonly #user: User | undefined = unprivilegedUser()
  readonly #software: Software
  #jdks: Promise<readonly Jdk[]> | undefined

  constructor(options: NativeOptions) {
    this.#options = options
    this.#ports = new ServerPorts(options)
    this.#software = openSoftware(options.env, this.#user)
  }

  /**
   * Resolves when the server answers; when it rejects, the server does not run.
   * @throws TOOL_MISSING, DOWNLOAD_FAILED, SERVICE_START_FAILED
   */
  async start(server: Server): Promise<Started> {
    const known = readProcessRecord(this.#options.home, server.name)
    if (known && (await this.#serves(server, known))) {
      this.#ports.settle(server, undefined, { client: known.port })
      return { process: known, isNew: false }
    }
    if (known) await this.#clearAway(server, known)
    const { process, ports } = await this.#startOnFreePorts(server, known?.port)
    this.#ports.settle(server, known?.port, ports)
    return { process, isNew: true }
  }

  async #startOnFreePorts(server: Server, known: number | undefined) {
    for (let tries = 1; ; tries++) {
      const ports = await this.#ports.choose(server, known)
      try {
        return { process: await this.#startOn(server, ports), ports }
      } catch (error) {
        const taken = await this.#ports.giveBack(ports)
        const again = isFreshetError(error, 'SERVICE_START_FAILED') && !this.#options.signal.aborted
        if (!again || taken.length === 0 || tries === PORT_TRIES) throw error
        this.#report(server, `${taken.join(' and ')} was taken meanwhile: tries again`)
      }
    }
  }

  async #startOn(server: Server, ports: Site['ports']): Promise<NativeProcess> {
    const site = this.#site(server, ports)
    const launch = await server.prepare(site)
    if (site.signal.aborted) throw interrupted(server)
    const taken = await takenOf(ports) // preparing may have fetched for minutes
    if (taken.length > 0)
      throw new FreshetError('SERVICE_START_FAILED', `${server.name}: port ${taken.join(', ')} is taken`)
    const { process, ended } = this.#spawn(server, launch, site)
    try {
      await this.#untilReady(server, process, ended)
    } catch (error) {
      await stopProcess(server.name, process)
      removeRecord(this.#options.home, server.name)
      throw error
    }
    return process
  }

  async #serves(server: Server, known: NativeProcess): Promise<boolean> {
    if (!isRunning(known)) return false
    return untilAnswers(server, known.port, { deadlineMs: HUNG_MS, signal: this.#options.signal })
  }

  async #clearAway(server: Server, known: NativeProcess): Promise<void> {
    if (this.#options.signal.aborted) throw interrupted(server)
    this.#report(
      server,
      isRunning(known) ? 'lives but does not answer: starts it anew' : 'has ended: starts it anew',
    )
    await stopProcess(server.name, known) // what it started may have outlived it
    removeRecord(this.#options.home, server.name)
  }

  #site(server: Server, ports: Site['ports']): Site {
    const { home, env, signal } = this.#options
    const report = (line: string) => this.#report(server, line)
    const dataDir = join(dataFolder(home, this.#user), server.name)
    makeFolderFor(this.#user, dataDir)
    return {
      ...{ dataDir, ports, user: this.#user, env, software: this.#software },
      jdks: () => this.#findJdks(),
      maven: async () => {
        const { home: javaHome } = chooseJdk(await this.#findJdks(), { atLeast: 8, purpose: 'Maven' })
        return { maven: findMaven(env), javaHome, report, signal }
      },
      ...{ report, signal },
    }
  }

  /** One search serves all servers. */
  #findJdks(): Promise<readonly Jdk[]> {
    this.#jdks ??= findJdks(this.#options.env, this.#options.signal).then((jdks) =>
      jdks.filter(({ home }) => this.#user === undefined || isReachable(home, this.#user)),
    )
    return this.#jdks
  }

  /** The record is written in the same breath as the process starts: nothing waits in between. */
  #spawn(server: Server, launch: Launch, { dataDir, ports, user, env }: Site): Running {
    const logFile = freshLog(this.#options.home, server.name)
    const log = openSync(logFile, 'a')
    const child = spawn(launch.command, launch.args, {
      ...{ ...user, cwd: dataDir, detached: true, stdio: ['ignore', log, log] },
      env: { PATH: env.PATH, HOME: dataDir, ...launch.env },
    })
    closeSync(log)
    const ended = untilEnded(child)
    child.unref()
    const identity = child.pid === undefined ? undefined : identify(child.pid)
    if (identity === undefined)
      throw new FreshetError('SERVICE_START_FAILED', `${server.name}: cannot run ${launch.command}`)
    const process = { name: server.name, ...identity, port: ports.client, dataDir, logFile }
    writeProcessRecord(this.#options.home, process)
    this.#report(server, `starts on 127.0.0.1:${ports.client}`)
    return { process, ended }
  }

  async #untilReady(server: Server, process: NativeProcess, ended: Running['ended']): Promise<void> {
    const dead = new AbortController()
    let how: string | undefined
    void ended.then((reason) => {
      how = reason
      dead.abort()
    })
    const signal = AbortSignal.any([this.#options.signal, dead.signal])
    const answered = await untilAnswers(server, process.port, { deadlineMs: START_MS, signal })
    if (answered && how === undefined) return
    if (this.#options.signal.aborted && how === undefined) throw interrupted(server)
    const what = how ?? `did not answer within ${START_MS / 1_000} s`
    throw new FreshetError(
      'SERVICE_START_FAILED',
      `${server.name} ${what}; ${process.logFile} ends with:\n${logTail(process.logFile)}`,
    )
  }

  #report(server: Server, line: string): void {
    this.#options.report(`${server.name}: ${line}`)
  }
}

interface Running {
  readonly process: NativeProcess
  /** How it ended; pending while it runs. */
  readonly ended: Promise<string>
}

function untilEnded(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`cannot run: ${error.message}`))
    child.once('exit', (code, signal) => resolve(`ended with ${signal ?? `exit code ${code}`}`))
  })
}

function interrupted(server: Server): FreshetError {
  return new FreshetError('SERVICE_START_FAILED', `${server.name}: interrupted before it was ready`)
}
