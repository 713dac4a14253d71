import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { down } from './down.ts'
import { isRunning } from './process-identity.ts'
import { readPorts } from './run-records.ts'
import { SERVERS } from './servers.ts'
import { type NativeProcess, readServices, type ServerName, type Services } from './services-file.ts'
import { up } from './up.ts'

const home = join(mkdtempSync(join(tmpdir(), 'freshet-up-')), 'home')
const lines: string[] = []
const report = (line: string) => void lines.push(line)

afterAll(async () => {
  await down({ home, purge: true, report })
  rmSync(join(home, '..'), { recursive: true })
})

test('up starts what is not there, and only that; data outlives down; down leaves nothing running', async () => {
  const first = await start()
  expect(readServices(home)).toEqual(first)
  await expectAllAnswer(first)
  await putIndex(first, 'kept')

  const second = await start()
  expect(pids(second)).toEqual(pids(first))

  process.kill(processOf(second, 'elasticsearch').pid, 'SIGKILL')
  const third = await start()
  const [before, after] = [pids(second), pids(third)]
  expect(after.elasticsearch).not.toBe(before.elasticsearch)
  expect({ ...after, elasticsearch: 0 }).toEqual({ ...before, elasticsearch: 0 })
  expect(third.elasticsearch).toEqual(second.elasticsearch)
  expect(await hasIndex(third, 'kept')).toBe(true)

  process.kill(processOf(third, 'kafka').pid, 'SIGKILL')
  await expect(start(AbortSignal.abort())).rejects.toMatchObject({ code: 'SERVICE_START_FAILED' })
  expect(readServices(home), 'three of them still run').toEqual(third)

  await down({ home, report })
  expect(readServices(home)).toBeUndefined()
  expect(nativeProcesses(third).filter(isRunning)).toEqual([])

  using _stranger = await occupy(readPorts(home, 'kafka')!.inner!)
  const fourth = await start()
  await expectAllAnswer(fourth)
  expect(addresses(fourth), 'only the inner port has moved').toEqual(addresses(third))
  expect(await hasIndex(fourth, 'kept')).toBe(true)
}, 300_000)

/** Ports are any free ones, so that a stack in use on this machine is left alone. */
function start(signal = AbortSignal.timeout(240_000)): Promise<Services> {
  const ports = { kafka: 0, elasticsearch: 0, redis: 0, s3: 0 }
  return up({ home, mode: 'native', report, signal, settings: { ports } })
}

async function occupy(port: number): Promise<Disposable> {
  const stranger = createServer().listen({ host: '127.0.0.1', port })
  await once(stranger, 'listening')
  return { [Symbol.dispose]: () => void stranger.close() }
}

async function expectAllAnswer(services: Services): Promise<void> {
  const signal = AbortSignal.timeout(10_000)
  for (const server of SERVERS)
    expect(await server.answers(processOf(services, server.name).port, signal), server.name).toBe(true)
}

async function putIndex(services: Services, name: string): Promise<void> {
  const response = await fetch(`${services.elasticsearch.url}/${name}`, { method: 'PUT' })
  expect(response.status).toBe(200)
}

async function hasIndex(services: Services, name: string): Promise<boolean> {
  return (await fetch(`${services.elasticsearch.url}/${name}`, { method: 'HEAD' })).ok
}

function nativeProcesses({ processes }: Services): NativeProcess[] {
  return processes.filter((process) => process.containerId === undefined)
}

function processOf(services: Services, name: ServerName): NativeProcess {
  return nativeProcesses(services).find((process) => process.name === name)!
}

function addresses({ kafka, elasticsearch, redis, s3 }: Services) {
  return { kafka, elasticsearch, redis, s3 }
}

function pids(services: Services): Record<string, number> {
  return Object.fromEntries(nativeProcesses(services).map(({ name, pid }) => [name, pid]))
}
