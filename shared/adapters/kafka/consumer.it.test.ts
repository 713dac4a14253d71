import { FreshetError } from '@freshet/errors/errors.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { expect, test, vi } from 'vitest'
import { withAdmin } from './connect.ts'
import { type Batch, GroupConsumer } from './consumer.ts'
import type { GroupConsumerOptions, Handle } from './group/group-options.ts'
import { readGroupPositions } from './group-positions.ts'
import type { OutgoingMessage } from './producer.ts'
import { type ScratchTopic, scratchTopic } from './scratch-topic.kit.ts'
import { SilencedSockets } from './silenced-sockets.kit.ts'

/** The real broker and the real kafkajs: these promises are about what it does to us. */
const numbered = (partition: number, from: number, count: number): OutgoingMessage[] =>
  Array.from({ length: count }, (_, i) => ({ partition, key: null, value: Buffer.from(`${from + i}`) }))
const valuesOf = (batch: Batch) => batch.messages.map(({ value }) => Number(value))
const sorted = (values: Iterable<number>) => [...values].sort((a, b) => a - b)
const range = (count: number) => Array.from({ length: count }, (_, i) => i)
const waiting = { timeout: 30_000, interval: 20 }

/** Runs a consumer until disposed; a run that rejects fails the test there. */
function consume(scratch: ScratchTopic, handle: Handle, options: Partial<GroupConsumerOptions> = {}) {
  const { connection, topic, groupId, log } = scratch
  const stop = new AbortController()
  const consumer = new GroupConsumer(connection, {
    groupId,
    topic,
    stallMs: 20_000,
    maxWaitMs: 100,
    log,
    clock: systemClock,
    ...options,
  })
  const run = consumer.run(handle, stop.signal)
  run.catch(() => {})
  return {
    run,
    stop: () => stop.abort(),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await run
    },
  }
}

const committed = async ({ connection, groupId, topic }: ScratchTopic) =>
  (
    await withAdmin(connection, { doing: 'reading', signal: AbortSignal.timeout(20_000) }, (admin) =>
      readGroupPositions(admin, { groupId, topic }),
    )
  ).map((position) => position.committed)

test('a message arrives as it was sent: key, bytes, headers, time', async () => {
  await using scratch = await scratchTopic(1)
  const sent = {
    partition: 0,
    key: Buffer.from('k'),
    value: Buffer.from([0, 255]),
    timestampMs: 1_700_000_000_000,
  }
  await scratch.write([
    { ...sent, headers: { h: Buffer.from('x') } },
    { ...sent, value: null },
  ])
  const got: unknown[] = []
  await using _ = consume(scratch, async ({ messages }) => {
    for (const { offset, timestampMs, key, value, headers } of messages)
      got.push({ offset, timestampMs, key, value, headers })
  })
  await vi.waitUntil(() => got.length === 2, waiting)
  const { partition: _p, ...expected } = sent
  expect(got).toEqual([
    { ...expected, offset: 0, headers: { h: Buffer.from('x') } },
    { ...expected, offset: 1, headers: {}, value: null },
  ])
})

test('a batch in hand at the stop is finished and committed, and the next run goes on behind it', async () => {
  await using scratch = await scratchTopic(1)
  await scratch.write(numbered(0, 0, 10))
  const entered = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const first = consume(scratch, async (batch, lease) => {
    entered.resolve()
    await release.promise
    await lease.commit(batch.messages.at(-1)!.offset + 1)
  })
  await entered.promise
  first.stop()
  release.resolve()
  await first.run
  expect(await committed(scratch)).toEqual([10])

  await scratch.write(numbered(0, 10, 1))
  const seen: number[] = []
  await using _ = consume(scratch, async (batch) => void seen.push(...valuesOf(batch)))
  await vi.waitUntil(() => seen.length > 0, waiting)
  expect(seen).toEqual([10])
})

test('what is done is committed within seconds, although nothing more comes', async () => {
  await using scratch = await scratchTopic(1)
  await scratch.write(numbered(0, 0, 3))
  await using _ = consume(scratch, (batch, lease) => lease.commit(batch.messages.at(-1)!.offset + 1))
  await vi.waitUntil(async () => (await committed(scratch))[0] === 3, waiting)
})

test('a TypeError in the handler, which kills kafkajs, costs nothing: the batch comes again', async () => {
  await using scratch = await scratchTopic(1)
  await scratch.write(numbered(0, 0, 5))
  const seen: number[] = []
  let calls = 0
  await using _ = consume(scratch, async (batch) => {
    if (++calls === 1) throw new TypeError('undefined is not a function')
    seen.push(...valuesOf(batch))
  })
  await vi.waitUntil(() => seen.length === 5, waiting)
  expect(seen).toEqual(range(5))
  expect(scratch.complaints).toContainEqual(expect.stringMatching(/the handler of .* failed.*TypeError/))
  expect(scratch.complaints).toContainEqual(expect.stringMatching(/is built anew/))
})

test('a handler that hangs is replaced, and may then neither write nor commit', async () => {
  await using scratch = await scratchTopic(1)
  await scratch.write(numbered(0, 0, 5))
  const hang = Promise.withResolvers<void>()
  const afterwards = Promise.withResolvers<unknown[]>()
  const seen: number[] = []
  let calls = 0
  await using _ = consume(
    scratch,
    async (batch, lease) => {
      if (++calls > 1) return void seen.push(...valuesOf(batch))
      await hang.promise
      const check = await Promise.resolve()
        .then(() => lease.check())
        .catch((error: unknown) => error)
      const commit = await lease.commit(5).catch((error: unknown) => error)
      afterwards.resolve([check, commit, lease.signal.aborted])
    },
    { stallMs: 2_000 },
  )
  await vi.waitUntil(() => seen.length === 5, waiting)
  hang.resolve()
  const stale = expect.objectContaining({ code: 'KAFKA_STALE' })
  expect(await afterwards.promise).toEqual([stale, stale, true])
  expect(await committed(scratch)).toEqual([undefined])
  expect(scratch.complaints.join('\n')).toMatch(/stalls: a batch has been in hand/)
})

test('a consumer whose sockets fall silent without being closed is built anew on others', async () => {
  await using scratch = await scratchTopic(1)
  await scratch.write(numbered(0, 0, 10)) // before: the sockets of who writes stay sound
  using sockets = new SilencedSockets()
  const seen = new Set<number>()
  const handle: Handle = async (batch, lease) => {
    for (const value of valuesOf(batch)) seen.add(value)
    await lease.commit(batch.messages.at(-1)!.offset + 1)
  }
  await using _ = consume(scratch, handle, { stallMs: 2_000, sessionTimeoutMs: 6_000 })
  await vi.waitUntil(() => seen.size === 10, waiting)
  expect(sockets.silence()).toBeGreaterThan(0)
  await scratch.write(numbered(0, 10, 10))
  await vi.waitUntil(() => seen.size === 20, waiting)
  expect(scratch.complaints.join('\n')).toMatch(/stalls: .*built anew/)
})

test('two members share the partitions, and when one leaves nothing is lost', async () => {
  await using scratch = await scratchTopic(4)
  const seen = { a: new Set<number>(), b: new Set<number>() }
  const handler =
    (name: 'a' | 'b'): Handle =>
    async (batch, lease) => {
      for (const value of valuesOf(batch)) seen[name].add(value)
      await lease.commit(batch.messages.at(-1)!.offset + 1)
    }
  const assigned = { a: [] as number[], b: [] as number[] }
  const watch = (name: 'a' | 'b') => ({
    onAssigned: async (partitions: readonly number[]) => {
      assigned[name] = [...partitions]
      return new Map<number, number>()
    },
  })
  await using _ = consume(scratch, handler('a'), watch('a'))
  const b = consume(scratch, handler('b'), watch('b'))
  await vi.waitUntil(() => assigned.a.length === 2 && assigned.b.length === 2, waiting)
  expect(sorted([...assigned.a, ...assigned.b])).toEqual([0, 1, 2, 3])

  await scratch.write(range(4).flatMap((partition) => numbered(partition, partition * 100, 100)))
  await vi.waitUntil(() => seen.a.size + seen.b.size >= 400, waiting)
  expect([seen.a.size, seen.b.size]).toEqual([200, 200])
  b.stop()
  await scratch.write(range(4).flatMap((partition) => numbered(partition, 400 + partition * 100, 100)))
  await b.run
  await vi.waitUntil(() => new Set([...seen.a, ...seen.b]).size === 800, waiting)
  expect(sorted(assigned.a)).toEqual([0, 1, 2, 3])
})

test('a member whose partitions are taken back learns it within its work', async () => {
  await using scratch = await scratchTopic(2)
  await scratch.write([...numbered(0, 0, 1), ...numbered(1, 0, 1)])
  const entered = Promise.withResolvers<void>()
  const lost = Promise.withResolvers<readonly number[]>()
  let calls = 0
  await using _a = consume(
    scratch,
    async (_batch, lease) => {
      if (++calls > 1) return
      entered.resolve()
      await new Promise((resolve) => lease.signal.addEventListener('abort', resolve))
      lease.check()
    },
    { onRevoked: (partitions) => lost.resolve(partitions) },
  )
  await entered.promise
  await using _b = consume(scratch, async () => {})
  expect(sorted(await lost.promise)).toEqual([0, 1])
  await vi.waitUntil(() => calls > 1, waiting)
})

test('the owner’s start offsets win over the committed ones, also where nothing new waits', async () => {
  await using scratch = await scratchTopic(2)
  await scratch.write([...numbered(0, 0, 10), ...numbered(1, 100, 10)])
  const first = consume(scratch, (batch, lease) => lease.commit(batch.messages.at(-1)!.offset + 1))
  await vi.waitUntil(async () => (await committed(scratch)).every((offset) => offset === 10), waiting)
  first.stop()
  await first.run

  const seen: number[] = []
  await using _ = consume(scratch, async (batch) => void seen.push(...valuesOf(batch)), {
    onAssigned: async () => new Map([[0, 7]]),
  })
  await vi.waitUntil(() => seen.length > 0, waiting)
  await scratch.write(numbered(1, 110, 1))
  await vi.waitUntil(() => seen.includes(110), waiting)
  expect(seen).toEqual([7, 8, 9, 110])
})

test('a retryable error brings the same batch again, before anything behind it', async () => {
  await using scratch = await scratchTopic(1)
  await scratch.write(numbered(0, 0, 3))
  const calls: number[][] = []
  await using _ = consume(scratch, async (batch) => {
    calls.push(valuesOf(batch))
    if (calls.length < 3) throw new FreshetError('REDIS_UNREACHABLE', 'away')
  })
  await vi.waitUntil(() => calls.length === 3, waiting)
  expect(calls).toEqual([range(3), range(3), range(3)])
})

test('an error that a retry cannot help ends the run', async () => {
  await using scratch = await scratchTopic(1)
  await scratch.write(numbered(0, 0, 3))
  const { run } = consume(scratch, async () => {
    throw new FreshetError('RECORD_VERSION', 'score batch version 9')
  })
  await expect(run).rejects.toMatchObject({ code: 'RECORD_VERSION' })
})

test('a topic that does not exist ends the run with its name', async () => {
  await using scratch = await scratchTopic(1)
  const { run } = consume(scratch, async () => {}, { topic: `${scratch.topic}-not` })
  await expect(run).rejects.toMatchObject({ code: 'TOPIC_MISSING' })
})

test('a position that fell out of the log is told with figures, and reading goes on at what is left', async () => {
  await using scratch = await scratchTopic(1)
  await scratch.write(numbered(0, 0, 10))
  const first = consume(scratch, (_batch, lease) => lease.commit(2))
  await vi.waitUntil(async () => (await committed(scratch))[0] === 2, waiting)
  first.stop()
  await first.run
  await scratch.truncate(0, 6)

  const seen: number[] = []
  await using _ = consume(scratch, async (batch) => void seen.push(...valuesOf(batch)))
  await vi.waitUntil(() => seen.length > 0, waiting)
  expect(seen).toEqual([6, 7, 8, 9])
  expect(scratch.complaints.join('\n')).toMatch(/stood at 2 of .*holds 6 to 10: 4 messages are gone/)
})

test('a reader that retention overtakes while it works is told what it will not see', async () => {
  await using scratch = await scratchTopic(1)
  await scratch.write(numbered(0, 0, 3))
  const entered = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const seen: number[] = []
  await using _ = consume(scratch, async (batch) => {
    entered.resolve()
    await release.promise
    seen.push(...valuesOf(batch))
  })
  await entered.promise
  await scratch.write(numbered(0, 3, 7))
  await scratch.truncate(0, 6)
  release.resolve()
  await vi.waitUntil(() => seen.length === 7, waiting)
  expect(seen).toEqual([0, 1, 2, 6, 7, 8, 9])
  expect(scratch.complaints.join('\n')).toMatch(/from 3, but the log begins at 6: 3 messages are gone/)
})

test('the note beside an offset is there for the next owner, and is none where reading begins elsewhere', async () => {
  await using scratch = await scratchTopic(1)
  await scratch.write(numbered(0, 0, 10))
  const starts: unknown[] = []
  const readOnce = async (options: Partial<GroupConsumerOptions> = {}) => {
    const seen = starts.length
    const reader = consume(
      scratch,
      async (_batch, lease) => {
        starts.push(lease.start)
        await lease.commit(4, 'generation 7')
      },
      options,
    )
    await vi.waitUntil(() => starts.length > seen, waiting)
    reader.stop()
    await reader.run
  }
  await readOnce()
  await readOnce()
  await readOnce({ onAssigned: async () => new Map([[0, 2]]) })
  expect(starts).toEqual([
    { nextOffset: 0, note: '' },
    { nextOffset: 4, note: 'generation 7' },
    { nextOffset: 2, note: '' },
  ])
})

test('a partition at rest is not read, and goes on where its reader said', async () => {
  await using scratch = await scratchTopic(2)
  await scratch.write([...numbered(0, 0, 10), ...numbered(1, 100, 10)])
  const seen = new Map<number, number[]>([
    [0, []],
    [1, []],
  ])
  let wake = () => {}
  await using _ = consume(scratch, async (batch, lease) => {
    seen.get(batch.partition)!.push(...valuesOf(batch))
    if (batch.partition === 0 && seen.get(0)!.length === 10) wake = lease.rest(7)
  })
  await vi.waitUntil(() => seen.get(0)!.length === 10 && seen.get(1)!.length === 10, waiting)
  await scratch.write([...numbered(0, 10, 2), ...numbered(1, 110, 2)])
  await vi.waitUntil(() => seen.get(1)!.length === 12, waiting)
  expect(seen.get(0)).toEqual(range(10))
  wake()
  await vi.waitUntil(() => seen.get(0)!.length >= 15, waiting)
  expect(seen.get(0)!.slice(10)).toEqual([7, 8, 9, 10, 11])
})
