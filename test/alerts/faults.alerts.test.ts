/**
 * Faults in a running pipeline, one round after the other in the same one: real servers, real processes, an even load,
 * and the Slack that people read. Thresholds are short here; the promise is about what comes after them.
 */
import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROUNDS } from './faults.ts'
import { namesOf, rowsOf } from './result-rows.ts'
import { PROMISED_SECONDS, runRound } from './run-faults.ts'
import { AlertWorld } from './world.ts'

const HEALTHY_MS = 15_000
/** On a machine where so many wait for each core, servers that do not answer are what they are said to be. */
const STARVED_LOAD = 5
const ROUND_MS = 240_000

let world: AlertWorld
beforeAll(async () => {
  world = await AlertWorld.open()
}, 240_000)
afterAll(() => world?.[Symbol.asyncDispose](), 60_000)

test('of a pipeline that is well, under load, from the first look at it, nobody is told anything', async ({
  skip,
}) => {
  await sleep(HEALTHY_MS)
  process.stdout.write(`of a pipeline that is well, at a load of ${loadavg()[0]}: ${namesOf(world.told)}\n`)
  skip(isStarved(), `the machine is not well: its load is ${loadavg()[0]}`)
  expect(world.told, outputOf(world)).toEqual([])
}, 60_000)

test.each(ROUNDS.map((faults) => [faults.map(({ title }) => title).join('; '), faults] as const))(
  '%s: people are told once, in time, of the right cause, and that it is over',
  async (_, faults) => {
    const round = await runRound(world, faults)
    process.stdout.write(`${rowsOf(round).join('\n')}\n`)
    const { results, unexpected } = round
    for (const { fault, alert, dueSeconds, toldSeconds, resolvedSeconds, timesTold } of results) {
      expect(alert, `${fault.title}: ${JSON.stringify(world.told)} ${outputOf(world)}`).toBeDefined()
      expect(toldSeconds, fault.title).toBeLessThan(dueSeconds + PROMISED_SECONDS)
      const isOver = fault.lingersSeconds === undefined
      if (isOver) expect(resolvedSeconds, `${fault.title}: resolved`).toBeDefined()
      expect(timesTold, fault.title).toBe(isOver ? 2 : 1)
    }
    if (!isStarved()) expect(unexpected).toEqual([])
  },
  ROUND_MS,
)

function isStarved(): boolean {
  return loadavg()[0]! > STARVED_LOAD * availableParallelism()
}

function outputOf({ stack }: AlertWorld): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(stack.output).map(([name, text]) => [name, text?.slice(-3_000)])),
  )
}
