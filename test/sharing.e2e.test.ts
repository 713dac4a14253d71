/** Several pollers of one pipeline, as real processes: one dies, one sleeps, and nothing is lost, stale or buried. */
import { readFlights } from '@freshet/demo/flights.ts'
import { expect, test } from 'vitest'
import { type ProcessName, Stack } from './stack.ts'
import { until } from './until.ts'

const TEST_MS = 420_000
/** Who was frozen in the middle of a sweep rests four times as long before the next. */
const PATIENCE = { giveUpMs: 240_000 }
const flights = await readFlights()
const CURSOR_PARTITIONS = 8
/** Enough that each of two pollers has some, whichever partitions their cursors fall into. */
const SHARDS = 12

/** By what it has logged. */
function partitionsOf(stack: Stack, name: ProcessName): string[] {
  const told = [...(stack.output[name] ?? '').matchAll(/the shards of cursor partitions ([\d, ]*)( are)?/g)]
  const [, partitions, isTakenBack] = told.at(-1) ?? []
  return partitions === undefined || isTakenBack ? [] : partitions.split(', ')
}

async function holdAll(stack: Stack, names: readonly ProcessName[]): Promise<void> {
  await until(
    `${names} share the partitions`,
    async () => {
      const held = names.map((name) => partitionsOf(stack, name))
      const all = held.flat()
      return (
        held.every(({ length }) => length > 0) &&
        all.length === new Set(all).size &&
        all.length === CURSOR_PARTITIONS
      )
    },
    { ...PATIENCE, explain: () => JSON.stringify(stack.output, null, 2) },
  )
}

/** Each flight as it stands after so many hours of its day. */
const writeAll = (stack: Stack, count: number, hour: number) =>
  stack.write(
    Object.fromEntries(flights.slice(0, count).map(({ id, document }) => [id, { ...document, hour }])),
  )

test(
  'two pollers share the shards; one is killed with -9, and the other goes on with all of them',
  async () => {
    await using stack = await Stack.open({}, { shards: SHARDS })
    stack.start('poller', 'poller-2', 'scorer')
    await holdAll(stack, ['poller', 'poller-2'])
    await writeAll(stack, 500, 1)
    await stack.stop('poller', 'SIGKILL')
    await writeAll(stack, 500, 2)
    await holdAll(stack, ['poller-2'])
    await writeAll(stack, 300, 3)
    expect((await stack.conserved(PATIENCE)).liveDocuments).toBe(500)
  },
  TEST_MS,
)

test(
  'a paused poller that wakes up and writes late does no harm',
  async () => {
    // What a sleeper writes late of a key that the snapshot never held, only the sweep by age finds.
    const sweep = { FRESHET_SWEEP_PAUSE_SECONDS: '1', FRESHET_SWEEP_MAX_AGE_SECONDS: '5' }
    await using stack = await Stack.open(sweep, { shards: SHARDS })
    stack.start('poller', 'poller-2', 'scorer')
    await holdAll(stack, ['poller', 'poller-2'])
    const sleeper = stack.pidOf('poller')
    for (let hour = 1; hour <= 2; hour++) {
      await writeAll(stack, 600, hour * 10)
      process.kill(sleeper, 'SIGSTOP') // with what it has just read still to be sent
      try {
        await holdAll(stack, ['poller-2'])
        await writeAll(stack, 400, hour * 10 + 1)
        const gone = flights.slice(hour * 50, hour * 50 + 20)
        await stack.client.bulk({
          index: stack.index,
          operations: gone.map(({ id }) => ({ delete: { _id: id } })),
        })
      } finally {
        process.kill(sleeper, 'SIGCONT')
      }
      await holdAll(stack, ['poller', 'poller-2'])
    }
    const { liveDocuments } = await stack.conserved(PATIENCE)
    expect(liveDocuments).toBe(600 - 20)
  },
  TEST_MS,
)
