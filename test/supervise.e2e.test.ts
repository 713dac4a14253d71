import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { TOPICS, topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { PROGRAM, Stack } from './stack.ts'
import { until } from './until.ts'

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
  150_000,
)

onLinux('a wrong setting that only one service finds ends all', async () => {
  await using stack = await Stack.open()
  const supervisor = spawn(process.execPath, [PROGRAM, 'run', 'poller', 'gateway'], {
    env: { ...stack.env, FRESHET_ELASTICSEARCH_INDEX: 'no-such-index' },
    stdio: 'ignore',
  })
  expect(await once(supervisor, 'exit')).toEqual([2, null])
})

onLinux(
  'a service that can no longer work does not take the gateway down, and comes back when it can',
  async () => {
    await using stack = await Stack.open()
    const supervisor = spawn(process.execPath, [PROGRAM, 'run', 'all'], { env: stack.env, stdio: 'ignore' })
    const ended = once(supervisor, 'exit')
    try {
      await stack.gatewayReady()
      await stack.write({ a: { carrier: 'UA' } })
      const first = pidOf(supervisor, 'poller')!
      await stack.client.indices.delete({ index: stack.index })
      process.kill(first, 'SIGKILL')
      await until(
        'the poller was started again',
        async () => ![undefined, first].includes(pidOf(supervisor, 'poller')),
      )
      await until(
        'and has ended again, since its index is gone',
        async () => pidOf(supervisor, 'poller') === undefined,
      )
      expect((await fetch(`${stack.gatewayUrl}/healthz`)).ok).toBe(true)
      await stack.client.indices.create({ index: stack.index, settings: { number_of_replicas: 0 } })
      await until('the poller works again', async () => {
        await stack.write({ b: { carrier: 'DL' } })
        const answer = await fetch(`${stack.gatewayUrl}/v1/scores/${stack.index}/b`)
        return answer.ok && ((await answer.json()) as { reason?: string }).reason === 'unscorable'
      })
    } finally {
      supervisor.kill('SIGTERM')
      await ended
    }
  },
  150_000,
)
