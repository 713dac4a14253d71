import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Hono } from 'hono'
import { expect, onTestFinished, test } from 'vitest'
import { appListener } from './app-listener.ts'
import { selfSigned } from './certificate.kit.ts'
import { concernOfAge } from './certificate-age.ts'
import { HttpServer } from './http-server.ts'

const DAY_MS = 24 * 3_600_000

/** Valid from yesterday to tomorrow. */
function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return selfSigned(folder, 'gateway')
}

test.each([
  [-20, undefined, /begins on .* refuse it until then/],
  [-13, undefined, /begins on/],
  [0, false, /ends on .*, in 0 days: renew it/],
  [2, true, /ended on .*callers refuse it: renew it/],
])('after %s days a certificate of two days: %s', (days, isRefused, text) => {
  const { cert } = certificate()
  expect(concernOfAge(cert, Date.now() + days * DAY_MS)).toEqual({
    isRefused: isRefused ?? true,
    text: expect.stringMatching(text),
  })
})

test('the gateway warns of a certificate that ends soon', async () => {
  const told: string[] = []
  const log = { ...quietLog, warn: (line: string) => void told.push(line) }
  const app = new Hono().get('/', (context) => context.text('answered'))
  const address = { host: '127.0.0.1', port: 0, tls: certificate().files }
  await using _ = await HttpServer.listen(appListener(app), address, { log })
  expect(told).toEqual([expect.stringMatching(/the certificate ends on .* renew it/)])
})
