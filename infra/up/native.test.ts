import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server as Listener } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { down } from './down.ts'
import { NativeStarter } from './native.ts'
import { isFree } from './ports.ts'
import { isRunning } from './process-identity.ts'
import type { Server, Site } from './server.ts'

const GO = 'go'
/** Listens on both ports as soon as it may, first on the inner one: who is answered has met a server that has both. A taken one ends it. */
const PROGRAM = `
const { existsSync } = require('node:fs')
const wait = setInterval(() => {
  if (!existsSync('${GO}')) return
  clearInterval(wait)
  const [client, inner] = process.argv.slice(1).map(Number)
  const listen = (port, then) => require('node:net').createServer().listen(port, '127.0.0.1', then)
  listen(inner, () => listen(client))
}, 20)`

let home: string
let lines: string[]
let strangers: Listener[]
const report = (line: string) => void lines.push(line)

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'freshet-native-'))
  lines = []
  strangers = []
})
afterEach(async () => {
  for (const stranger of strangers) stranger.close()
  await down({ home, purge: true, report })
})

test.each([
  ['inner', 'prepare'],
  ['inner', 'start'],
  ['client', 'prepare'],
] as const)(
  'a stranger who takes the %s port during %s costs another port, not the start',
  async (role, when) => {
    const server = await listeningServer({
      onPrepare: async ({ ports }, tries) =>
        void (tries === 1 && when === 'prepare' && (await occupy(ports[role]))),
      onAsk: async ({ ports }, tries) =>
        void (tries === 1 && when === 'start' && (await occupy(ports[role]))),
    })
    const { process } = await start(server)
    const stayed = role === 'inner'
    expect(process.port === server.ports.client).toBe(stayed)
    expect(lines).toContain(`kafka: ${server.ports[role]} was taken meanwhile: tries again`)
  },
)

test('a server that died comes back on its port, also after its start failed and after down', async () => {
  const server = await listeningServer({})
  await occupy(server.ports.client)
  const first = await start(server)
  expect(lines).toContain(`${server.ports.client} is taken, kafka uses ${first.process.port}`)
  strangers.pop()!.close()

  process.kill(first.process.pid, 'SIGKILL')
  await expect.poll(() => isRunning(first.process), { timeout: 10_000 }).toBe(false)
  const broken = { ...server, prepare: async () => ({ command: '/bin/false', args: [] }) }
  await expect(start(broken)).rejects.toMatchObject({ code: 'SERVICE_START_FAILED' })
  expect((await start(server)).process.port).toBe(first.process.port)
  await down({ home, report })
  expect((await start(server)).process.port).toBe(first.process.port)
})

test('a server whose port was taken after it died says where it moved, and what to do', async () => {
  const server = await listeningServer({})
  const first = await start(server)
  await down({ home, report })
  await occupy(first.process.port)
  const { port } = (await start(server)).process
  expect(lines).toContain(`${first.process.port} is taken, kafka uses ${port}`)
  expect(lines).toContain(`kafka moved from ${first.process.port} to ${port}: restart \`run all\``)
})

function start(server: Server) {
  const options = { home, env: process.env, wishes: {}, report, signal: AbortSignal.timeout(20_000) }
  return new NativeStarter(options).start(server)
}

type Hook = (site: Site, tries: number) => Promise<void>

/** @param hooks called while it is prepared, and before it may listen. */
async function listeningServer(hooks: { onPrepare?: Hook; onAsk?: Hook }): Promise<Server> {
  let site: Site | undefined
  let tries = 0
  return {
    name: 'kafka',
    portVariable: 'KAFKA_PORT',
    ports: { client: await quietPort(), inner: await quietPort() },
    async prepare(given) {
      site = given
      tries++
      rmSync(join(site.dataDir, GO), { force: true })
      await hooks.onPrepare?.(site, tries)
      const { client, inner } = site.ports
      return { command: process.execPath, args: ['-e', PROGRAM, String(client), String(inner)] }
    },
    async answers(port) {
      if (site && !existsSync(join(site.dataDir, GO))) {
        await hooks.onAsk?.(site, tries)
        writeFileSync(join(site.dataDir, GO), '')
      }
      return isAnswered(port)
    },
  }
}

/** Free, and below those that systems hand out to whoever asks for any: a stranger of the test can take it later. */
async function quietPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000)
    if (await isFree(port)) return port
  }
}

async function occupy(port: number): Promise<void> {
  const stranger = createServer().listen({ host: '127.0.0.1', port })
  strangers.push(stranger)
  await once(stranger, 'listening')
}

async function isAnswered(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  socket.destroy()
  return true
}
