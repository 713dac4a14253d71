import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { type Flight, readFlights } from '@freshet/demo/flights.ts'
import { TOPICS, topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { freshet } from './freshet.ts'
import { PROGRAM, Stack } from './stack.ts'
import { until } from './until.ts'

const [flight] = (await readFlights()) as [Flight]

/** Pid of a child of `run all`, by the service that it runs. */
function pidOf(supervisor: ChildProcess, service: string): number | undefined {
  const children = readFileSync(`/proc/${supervisor.pid}/task/${supervisor.pid}/children`, 'utf8')
    .trim()
    .split(' ')
  const pid = children.find((child) =>
    readFileSync(`/proc/${child}/cmdline`, 'utf8').includes(`run\0${service}\0`),
  )
  return pid === undefined ? undefined : Number(pid)
}

/** The children are read from /proc. */
const onLinux = test.skipIf(process.platform !== 'linux')

onLinux('a service that is frozen does not hold up the end of all', async () => {
  await using stack = await Stack.open()
  const supervisor = spawn(process.execPath, [PROGRAM, 'run', 'poller', 'gateway'], {
    env: stack.env,
    stdio: 'ignore',
  })
  const ended = once(supervisor, 'exit')
  await stack.gatewayReady()
  const frozen = pidOf(supervisor, 'poller')!
  process.kill(frozen, 'SIGSTOP')
  supervisor.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  expect(() => process.kill(frozen, 0)).toThrow(/ESRCH/)
})

onLinux(
  'a service that its data keep from starting takes nothing else down, and starts when they are mended',
  async () => {
    await using stack = await Stack.open()
    const { pipeline, kafka } = stack.settings
    await using producer = new Producer(connectKafka(kafka, { clientId: 'test', log: quietLog }), {
      ...{ clock: systemClock, log: quietLog, deadlineMs: 45_000 },
    })
    const key = Buffer.from('u/0')
    const write = (value: Buffer | null) =>
      producer.send(
        topicName(pipeline, 'cursors'),
        [{ partition: partitionOf(key, TOPICS.cursors.partitions), key, value }],
        AbortSignal.timeout(45_000),
      )
    await write(Buffer.from('{"version":9}'))
    const supervisor = spawn(process.execPath, [PROGRAM, 'run', 'poller', 'gateway'], {
      env: stack.env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const ended = once(supervisor, 'exit')
    let told = ''
    supervisor.stderr.on('data', (piece) => {
      told += piece
    })
    try {
      await until('the poller has ended', async () => told.includes('poller ended with 2'))
      expect(told).toMatch(/\.cursors\[\d+\]@\d+ u\/0: cursor version 9/)
      await stack.gatewayReady()
      await write(null)
      await until('the poller captures', async () =>
        told.includes('capturing the shards of cursor partitions'),
      )
      expect((await fetch(`${stack.gatewayUrl}/healthz`)).ok).toBe(true)
    } finally {
      supervisor.kill('SIGTERM')
      await ended
    }
  },
  240_000,
)

onLinux('a wrong setting that only one service finds ends all', async () => {
  await using stack = await Stack.open()
  const taken = createServer().listen(stack.settings.gateway.port)
  try {
    const supervisor = spawn(process.execPath, [PROGRAM, 'run', 'poller', 'gateway'], {
      env: stack.env,
      stdio: 'ignore',
    })
    expect(await once(supervisor, 'exit')).toEqual([2, null])
  } finally {
    taken.close()
  }
})

onLinux(
  'a poller that starts while its index is gone waits for it: what it had is deleted, what comes is captured',
  async () => {
    await using stack = await Stack.open({
      FRESHET_ELASTICSEARCH_GONE_GRACE_SECONDS: '1',
      FRESHET_SWEEP_PAUSE_SECONDS: '0.5',
    })
    const supervisor = spawn(process.execPath, [PROGRAM, 'run', 'all'], { env: stack.env, stdio: 'ignore' })
    const ended = once(supervisor, 'exit')
    const sourceOf = async (id: string) => {
      const answer = await fetch(`${stack.gatewayUrl}/v1/scores/${stack.index}/${id}`)
      return answer.ok ? ((await answer.json()) as { source: string }).source : answer.status
    }
    try {
      await stack.gatewayReady()
      await stack.write({ [flight.id]: flight.document })
      await until('it is scored', async () => (await sourceOf(flight.id)) === 'cache')
      const first = pidOf(supervisor, 'poller')!
      process.kill(first, 'SIGSTOP') // it must not see what the next one has to find
      await stack.client.indices.delete({ index: stack.index })
      process.kill(first, 'SIGKILL')
      await until('it is listed in place of the one that died', async () => {
        const { stdout } = await freshet(['status'], stack.env)
        return /poller-\S+ +running .*\n +started again .*ended with SIGKILL/.test(stdout)
      })
      expect((await freshet(['status'], stack.env)).stdout.match(/ poller-/g)).toHaveLength(1)
      await until('another has deleted it', async () => (await sourceOf(flight.id)) !== 'cache')
      await stack.client.indices.create({ index: stack.index, settings: { number_of_replicas: 0 } })
      await stack.write({ again: flight.document })
      await until('what came is scored', async () => (await sourceOf('again')) === 'cache')
    } finally {
      supervisor.kill('SIGTERM')
      await ended
    }
  },
  240_000,
)
