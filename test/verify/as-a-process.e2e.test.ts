import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { totalOf, type VerifyReport } from '@freshet/reconcile/verify-report.ts'
import { type Heartbeat, heartbeatRecord, isHeartbeatKey } from '@freshet/records/heartbeat.ts'
import { topicName } from '@freshet/records/topics.ts'
import { expect, test } from 'vitest'
import { freshet } from '../freshet.ts'
import { PROGRAM, Stack } from '../stack.ts'
import { until } from '../until.ts'
import { connectionOf, some } from './verify-run.ts'

test.each([
  ['INDEX_MISSING', { FRESHET_ELASTICSEARCH_INDEX: 'no-such-index' }],
  ['ELASTICSEARCH_UNREACHABLE', { FRESHET_ELASTICSEARCH_URL: 'http://127.0.0.1:1' }],
])('what cannot be looked at is an error (%s) with exit code 2, never a proof', async (code, env) => {
  await using stack = await Stack.open()
  const outcome = await freshet(['verify'], { ...stack.env, ...env })
  expect(outcome).toMatchObject({ code: 2, stdout: '' })
  expect(outcome.stderr).toContain(code)
})

/** Takes every connection and answers nothing. */
async function silentServer() {
  const connected = Promise.withResolvers<void>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    connected.resolve()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connected: connected.promise,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

test('a server that takes connections and never answers ends a short wait, by its address and setting', async () => {
  using server = await silentServer()
  const env = { FRESHET_S3_ENDPOINT: `http://${server.address}` }
  const { code, stderr } = await freshet(['verify', '--wait', '1'], env)
  expect(stderr).toMatch(new RegExp(`^DEADLINE: .*http://${server.address} \\(s3\\.endpoint\\)`))
  expect(code).toBe(2)
}, 96_000)

test('stopped by Ctrl-C while it waits for an answer, it says so and ends with 130', async () => {
  using server = await silentServer()
  const child = spawn(process.execPath, [PROGRAM, 'verify'], {
    env: { ...process.env, FRESHET_HOME: '/nonexistent', FRESHET_S3_ENDPOINT: `http://${server.address}` },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (text) => (stderr += text))
  const ended = once(child, 'close')
  await server.connected
  child.kill('SIGINT')
  expect(await ended).toEqual([130, null])
  expect(stderr).toBe('stopped\n')
}, 96_000)

test('a watch tells its result in its heartbeats and a line of JSON a round, and ends in order when it is asked to', async () => {
  await using stack = await Stack.open()
  stack.start('poller', 'scorer')
  await stack.write(some(5))
  await stack.conserved()
  const child = spawn(process.execPath, [PROGRAM, '--json', 'verify', '--watch', '--interval', '0.5'], {
    env: stack.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let stdout = ''
  child.stdout.on('data', (text) => (stdout += text))
  const ended = once(child, 'close')
  try {
    await until('it has proved all five more than once', async () => {
      const { metrics } = (await lastHeartbeat(stack))!
      return metrics['freshet.verify.scored'] === 5 && metrics['freshet.verify.ended']! >= 2
    })
  } finally {
    child.kill('SIGTERM')
  }
  expect(await ended).toEqual([0, null])
  const reports = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as VerifyReport)
  expect(reports.length).toBeGreaterThanOrEqual(2)
  expect(totalOf(reports.at(-1)!)).toMatchObject({ live: 5, scored: 5 })
  expect(await lastHeartbeat(stack)).toMatchObject({
    status: 'stopping',
    model: 'arrival-delay@1',
    metrics: { 'freshet.verify.live': 5, 'freshet.verify.missing': 0, 'freshet.verify.extra': 0 },
  })
}, 240_000)

async function lastHeartbeat(stack: Stack): Promise<Heartbeat | undefined> {
  let last: Heartbeat | undefined
  await readAll(connectionOf(stack), topicName(stack.settings.pipeline, 'heartbeats'), {
    deadlineMs: 30_000,
    signal: AbortSignal.timeout(30_000),
    onMessage: (_, { key, value }) => {
      if (!isHeartbeatKey(key!.toString())) return
      const heartbeat = heartbeatRecord.decode(value!)
      if (heartbeat.service === 'verify') last = heartbeat
    },
  })
  return last
}
