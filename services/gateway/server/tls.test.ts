import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Hono } from 'hono'
import { expect, onTestFinished, test } from 'vitest'
import { appListener } from './app-listener.ts'
import { selfSigned } from './certificate.kit.ts'
import { HttpServer } from './http-server.ts'
import { followTls, readTls } from './tls.ts'

function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

async function servedWith(tls: { certFile: string; keyFile: string }): Promise<HttpServer> {
  const app = new Hono().get('/', (context) => context.text('answered'))
  return HttpServer.listen(appListener(app), { host: '127.0.0.1', port: 0, tls })
}

async function get(url: string, ca: string): Promise<string> {
  const asked = request(url, { ca, agent: false }).end()
  const [reply] = (await once(asked, 'response')) as [NodeJS.ReadableStream]
  let text = ''
  for await (const part of reply) text += String(part)
  return text
}

test('a certificate by file: callers that trust it are answered, others and plain HTTP are not', async () => {
  const { cert, files } = selfSigned(scratchFolder(), 'gateway')
  await using server = await servedWith(files)
  expect(server.url).toMatch(/^https:/)
  expect(await get(server.url, cert)).toBe('answered')
  const { cert: another } = selfSigned(scratchFolder(), 'another')
  await expect(get(server.url, another)).rejects.toThrow(/self-signed certificate/)
  await expect(fetch(server.url.replace('https', 'http'))).rejects.toThrow()
})

test.each([
  ['TLSv1.1', false],
  ['TLSv1.2', true],
  ['TLSv1.3', true],
] as const)('a caller that speaks %s at best is answered: %s', async (version, isTaken) => {
  const { cert: ca, files } = selfSigned(scratchFolder(), 'gateway')
  await using server = await servedWith(files)
  const socket = connect({
    host: '127.0.0.1',
    port: Number(new URL(server.url).port),
    ca,
    minVersion: 'TLSv1.1',
    maxVersion: version,
    ciphers: 'DEFAULT:@SECLEVEL=0', // else it is this side that does not speak 1.1
  })
  const outcome = await Promise.race([
    once(socket, 'secureConnect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false)
  socket.destroy()
  expect(outcome).toBe(isTaken)
})

test('a renewed certificate is taken without a restart, and one that cannot be used is not', async () => {
  const folder = scratchFolder()
  const first = selfSigned(folder, 'first')
  const server: Server = createServer(readTls(first.files), (_, reply) => void reply.end('answered'))
  onTestFinished(() => void server.close())
  const told: string[] = []
  const tell = (message: string, error?: unknown) => void told.push(`${message} ${error}`)
  using _ = followTls(server, first.files, { log: { ...quietLog, info: tell, error: tell }, everyMs: 10 })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  writeFileSync(first.files.certFile, 'no certificate')
  await expect.poll(() => told).toContainEqual(expect.stringMatching(/cannot be used/))
  expect(await get(url, first.cert)).toBe('answered')
  rmSync(first.files.certFile)
  symlinkSync(first.files.certFile, first.files.certFile)
  await expect.poll(() => told).toContainEqual(expect.stringMatching(/ELOOP/))
  expect(await get(url, first.cert)).toBe('answered')
  rmSync(first.files.certFile)
  const second = selfSigned(folder, 'second')
  await expect.poll(() => get(url, second.cert).catch((error: Error) => error.message)).toBe('answered')
})

test.each([
  ['is not there', '/nonexistent/cert.pem', /gateway\.tls\.certFile: cannot read .*ENOENT/],
  ['belongs to another key', undefined, /gateway\.tls: certFile .* and keyFile .*key values mismatch/],
])('a certificate that %s is told at the start', async (_, certFile, told) => {
  const { files } = selfSigned(scratchFolder(), 'gateway')
  const other = selfSigned(scratchFolder(), 'another').files
  await expect(servedWith({ ...files, certFile: certFile ?? other.certFile })).rejects.toThrow(told)
})

test.each([
  ['certFile', 'no certificate', /gateway\.tls\.certFile: .*cert\.pem holds no certificate/],
  ['keyFile', 'no key', /gateway\.tls\.keyFile: .*key\.pem holds no key/],
  ['keyFile', undefined, /gateway\.tls\.keyFile: .*key\.pem .*is encrypted/],
] as const)('what is wrong with %s is told with its name: %s', (setting, text, told) => {
  const { files } = selfSigned(scratchFolder(), 'gateway')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const
  writeFileSync(files[setting], text ?? privateKey.export(encrypted))
  expect(() => readTls(files)).toThrow(told)
})
