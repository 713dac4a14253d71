import { join } from 'node:path'
import { FreshetError } from '@freshet/errors/errors.ts'
import { startContainers, whyNoDocker } from './docker.ts'
import { lockFile } from './lock-file.ts'
import { NativeStarter, type Started } from './native.ts'
import { isRunning } from './process-identity.ts'
import { readProcessRecords, readProjectRecord, removeRecord } from './run-records.ts'
import { describeServices, SERVERS } from './servers.ts'
import {
  readServices,
  removeServices,
  type ServerName,
  type Services,
  writeServices,
} from './services-file.ts'
import { stopProcess } from './stop-process.ts'

export interface UpOptions {
  /** Folder that keeps data, logs and services.json; `.freshet` in the working directory by default. */
  readonly home: string
  readonly mode: 'auto' | 'docker' | 'native'
  /** Takes one line of progress. */
  readonly report: (line: string) => void
  readonly signal: AbortSignal
  readonly settings?: {
    /** For a server without a port from before, or one that is taken; 0: any. Default: 9092, 9200, 6379, 9000. */
    readonly ports?: Partial<Record<ServerName, number>>
  }
}

const LOCK_MS = 10 * 60_000

/**
 * Starts what does not run yet and resolves when all four servers answer.
 * When it rejects, nothing that this call started is left running.
 * @throws TOOL_MISSING, DOWNLOAD_FAILED, SERVICE_START_FAILED, HOME_BUSY
 */
export async function up(options: UpOptions): Promise<Services> {
  const { home, report, signal } = options
  using _lock = await lockFile(join(home, 'lock'), {
    deadlineMs: LOCK_MS,
    signal,
    onWait: (pid) => report(`waits for process ${pid}, which works on ${home}`),
  })
  const startMs = Date.now()
  const timed = (line: string) =>
    report(`${((Date.now() - startMs) / 1_000).toFixed(1).padStart(6)} s  ${line}`)
  const inner = { home, report: timed, signal, wishes: options.settings?.ports ?? {} }
  const mode = await chooseMode(options.mode, inner)
  try {
    const processes = mode === 'docker' ? await startContainers(inner) : await startProcesses(inner)
    const services = keepStartTime(describeServices(mode, processes), readServices(home))
    writeServices(home, services)
    return services
  } catch (error) {
    if (!anyRuns(home)) removeServices(home)
    throw error
  }
}

function anyRuns(home: string): boolean {
  return readProjectRecord(home)?.running === true || readProcessRecords(home).some(isRunning)
}

type Inner = Parameters<typeof startContainers>[0]

/** What runs already decides; else the wish; else Docker where it works. */
async function chooseMode(wish: UpOptions['mode'], inner: Inner): Promise<Services['mode']> {
  const running = readProjectRecord(inner.home)?.running
    ? 'docker'
    : readProcessRecords(inner.home).length > 0
      ? 'native'
      : undefined
  if (running && wish !== 'auto' && wish !== running)
    throw new FreshetError('USAGE', `the servers run in mode ${running} here: run \`freshet down\` first`)
  if (running === 'native' || wish === 'native') return 'native'
  const why = await whyNoDocker(inner)
  if (why === undefined) return 'docker'
  if (running === 'docker' || wish === 'docker') throw new FreshetError('SERVICE_START_FAILED', why)
  inner.report(`runs the servers natively (${why})`)
  return 'native'
}

/** All at once. The first that fails stops the others, and what this call started. */
async function startProcesses({ home, report, signal, wishes }: Inner): Promise<Services['processes']> {
  const failed = new AbortController()
  const starter = new NativeStarter({
    ...{ home, report, wishes, env: process.env },
    signal: AbortSignal.any([signal, failed.signal]),
  })
  let firstError: unknown
  const started: Started[] = []
  await Promise.all(
    SERVERS.map(async (server) => {
      try {
        const one = await starter.start(server)
        started.push(one)
        report(`${server.name}: ${one.isNew ? 'ready' : 'runs already'} at 127.0.0.1:${one.process.port}`)
      } catch (error) {
        firstError ??= error
        failed.abort()
      }
    }),
  )
  if (firstError === undefined) return started.map((one) => one.process)
  await Promise.all(
    started
      .filter(({ isNew }) => isNew)
      .map(async ({ process: { name, ...identity } }) => {
        await stopProcess(name, identity)
        removeRecord(home, name)
      }),
  )
  throw firstError
}

/** A second `up` with nothing to do changes nothing. */
function keepStartTime(services: Services, before: Services | undefined): Services {
  return before ? { ...services, startedAtMs: before.startedAtMs } : services
}
