import { fileURLToPath } from 'node:url'
import { FreshetError } from '@freshet/errors/errors.ts'
import { homeHash } from './home-folders.ts'
import { PortPicker } from './ports.ts'
import { runDocker } from './run-docker.ts'
import { type ProjectRecord, readProjectRecord, removeRecord, writeProjectRecord } from './run-records.ts'
import type { Server } from './server.ts'
import { reportMove, reportTaken } from './server-ports.ts'
import { SERVERS } from './servers.ts'
import type { ContainerProcess, ServerName } from './services-file.ts'
import { untilAnswers } from './until-answers.ts'

const COMPOSE_FILE = fileURLToPath(new URL('../../docker-compose.yml', import.meta.url))
const NAMES = SERVERS.map(({ name }) => name)
const ASK_MS = 10_000
/** A registry that sends nothing for so long is taken for dead. */
const PULL_SILENCE_MS = 45_000
const PULL_MS = 30 * 60_000
const START_MS = 300_000
const STOP_MS = 120_000
const PROBE_MS = 2_000
const ANSWER_MS = 60_000

interface DockerOptions {
  readonly home: string
  readonly wishes: Partial<Record<ServerName, number>>
  readonly report: (line: string) => void
  readonly signal: AbortSignal
}

/** undefined when the servers can run in Docker: the engine answers and has the images, or can get them. Else why not. */
export async function whyNoDocker({ report, signal }: DockerOptions): Promise<string | undefined> {
  const engine = await runDocker(['info', '--format', '{{.ServerVersion}}'], { deadlineMs: ASK_MS, signal })
  if (!engine.ok) return `no Docker engine: ${engine.why}`
  const compose = await runDocker(['compose', 'version', '--short'], { deadlineMs: ASK_MS, signal })
  if (!compose.ok) return `no Docker Compose: ${compose.why}`
  const list = await runDocker(['compose', '-f', COMPOSE_FILE, 'config', '--images', ...NAMES], {
    deadlineMs: ASK_MS,
    signal,
  })
  if (!list.ok) return `docker-compose.yml is not understood: ${list.why}`
  for (const image of new Set(list.output.split('\n').filter((line) => line !== ''))) {
    const there = await runDocker(['image', 'inspect', '--format', '{{.Id}}', image], {
      deadlineMs: ASK_MS,
      signal,
    })
    if (there.ok) continue
    report(`docker: pulls ${image}`)
    const pull = await runDocker(['pull', image], { deadlineMs: PULL_MS, silenceMs: PULL_SILENCE_MS, signal })
    if (!pull.ok) return `image ${image} cannot be pulled: ${pull.why}`
  }
  return undefined
}

/** Starts the servers of docker-compose.yml as a project of this home. @throws SERVICE_START_FAILED */
export async function startContainers(options: DockerOptions): Promise<readonly ContainerProcess[]> {
  const { home, report, signal } = options
  const known = readProjectRecord(home)
  const record = {
    running: true,
    project: `freshet-${homeHash(home)}`,
    ports: await choosePorts(known, options),
  }
  writeProjectRecord(home, record)
  try {
    const onLine = (line: string) => reportState(line, report)
    const result = await compose(record, ['up', '-d', '--wait', ...NAMES], {
      deadlineMs: START_MS,
      signal,
      onLine,
    })
    if (!result.ok) throw new FreshetError('SERVICE_START_FAILED', `docker compose up: ${result.why}`)
    await Promise.all(SERVERS.map((server) => expectAnswer(server, record, signal)))
    return await Promise.all(NAMES.map((name) => describeContainer(record, name, signal)))
  } catch (error) {
    if (!known?.running) await stopContainers(home, { purge: false })
    throw error
  }
}

/** @throws SERVICE_STOP_FAILED */
export async function stopContainers(home: string, { purge }: { purge: boolean }): Promise<void> {
  const record = readProjectRecord(home)
  if (!record) return
  const result = await compose(record, ['down', ...(purge ? ['--volumes'] : [])], { deadlineMs: STOP_MS })
  if (!result.ok) throw new FreshetError('SERVICE_STOP_FAILED', `docker compose down: ${result.why}`)
  if (purge) removeRecord(home, 'docker')
  else writeProjectRecord(home, { ...record, running: false })
}

/** A server that answers keeps its port; for the others the wish, else a free one. */
async function choosePorts(
  known: ProjectRecord | undefined,
  { wishes, report, signal }: DockerOptions,
): Promise<Record<ServerName, number>> {
  const picker = new PortPicker()
  const chosen = await Promise.all(
    SERVERS.map(async (server) => {
      const before = known?.ports[server.name]
      const serves =
        before !== undefined && (await untilAnswers(server, before, { deadlineMs: PROBE_MS, signal }))
      if (serves) return [server.name, before] as const
      const wanted = [before, wishes[server.name] ?? server.ports.client]
      const port = await picker.pick(wanted)
      reportTaken(server.name, wanted, port, report)
      reportMove(server.name, before, port, report)
      return [server.name, port] as const
    }),
  )
  return Object.fromEntries(chosen) as Record<ServerName, number>
}

/** Of Compose's many lines those that say how a container is: ` Container freshet-1f2e-kafka-1  Healthy`. */
function reportState(line: string, report: (line: string) => void): void {
  const [, name, state] =
    /Container \S+-(\w+)-\d+\s+(Started|Healthy|Unhealthy|Error|Exited)/.exec(line) ?? []
  if (name !== undefined && state !== undefined) report(`${name}: ${state.toLowerCase()}`)
}

/** Healthy inside is not yet reachable from here. */
async function expectAnswer(server: Server, { ports }: ProjectRecord, signal: AbortSignal): Promise<void> {
  const port = ports[server.name]
  if (await untilAnswers(server, port, { deadlineMs: ANSWER_MS, signal })) return
  throw new FreshetError(
    'SERVICE_START_FAILED',
    `${server.name} runs in Docker but does not answer at 127.0.0.1:${port}`,
  )
}

async function describeContainer(
  record: ProjectRecord,
  name: ServerName,
  signal: AbortSignal,
): Promise<ContainerProcess> {
  const { output: containerId } = await compose(record, ['ps', '--quiet', name], {
    deadlineMs: ASK_MS,
    signal,
  })
  const { ok, output, why } = await runDocker(['inspect', '--format', '{{.State.StartedAt}}', containerId], {
    deadlineMs: ASK_MS,
    signal,
  })
  if (!ok) throw new FreshetError('SERVICE_START_FAILED', `${name}: ${why}`)
  return { name, containerId, startedAt: output, port: record.ports[name] }
}

function compose(
  { project, ports }: ProjectRecord,
  args: readonly string[],
  options: { deadlineMs: number; signal?: AbortSignal; onLine?: (line: string) => void },
) {
  const env = Object.fromEntries(SERVERS.map(({ name, portVariable }) => [portVariable, String(ports[name])]))
  return runDocker(['compose', '-p', project, '-f', COMPOSE_FILE, ...args], { ...options, env })
}
