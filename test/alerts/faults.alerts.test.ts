/**
 * Faults in a running pipeline, one round after the other in the same one: real servers, real processes, an even load,
 * and the Slack that people read. Thresholds are short here; the promise is about what comes after them.
 */
import { loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROUNDS } from './faults.ts'
import { namesOf, rowsOf } from './result-rows.ts'
import { PROMISED_SECONDS, runRound } from './run-faults.ts'
import { Starvation } from './starvation.ts'
import { AlertWorld } from './world.ts'

const HEALTHY_MS = 15_000
const ROUND_MS = 240_000

let world: AlertWorld
beforeAll(async () => {
  world = await AlertWorld.open()
}, 240_000)
afterAll(() => world?.[Symbol.asyncDispose](), 60_000)

test('of a pipeline that is well, under load, from the first look at it, nobody is told anything', async ({
  skip,
}) => {
  using starvation = new Starvation()
  await sleep(HEALTHY_MS)
  say(`of a pipeline that is well: ${namesOf(world.told)}; ${machine(starvation)}`)
  skip(starvation.isStarved && world.told.length > 0, machine(starvation))
  expect(world.told, outputOf(world)).toEqual([])
}, 60_000)

test.each(ROUNDS.map((faults) => [faults.map(({ title }) => title).join('; '), faults] as const))(
  '%s: people are told once, in time, of the right cause, and that it is over',
  async (_, faults) => {
    using starvation = new Starvation()
    const round = await runRound(world, faults)
    say(...rowsOf(round), machine(starvation))
    const { results, unexpected } = round
    for (const { fault, alert, dueSeconds, toldSeconds, resolvedSeconds, timesTold } of results) {
      if (starvation.isStarved && fault.isAlsoStarvation) continue // said above
      expect(alert, `${fault.title}: ${JSON.stringify(world.told)} ${outputOf(world)}`).toBeDefined()
      expect(toldSeconds, fault.title).toBeLessThan(dueSeconds + PROMISED_SECONDS)
      if (alert?.change === 'FLAPPING') continue
      const isOver = fault.lingersSeconds === undefined
      if (isOver) expect(resolvedSeconds, `${fault.title}: resolved`).toBeDefined()
      expect(timesTold, fault.title).toBe(isOver ? 2 : 1)
    }
    // Where nobody gets the CPU in time, answers that are late and servers that are not heard are what they are said to be.
    if (!starvation.isStarved) expect(unexpected).toEqual([])
  },
  ROUND_MS,
)

function machine({ lateMs, isStarved }: Starvation): string {
  return `  (load ${loadavg()[0]!.toFixed(1)}; 5 % of the wakings come more than ${lateMs.toFixed(0)} ms late${isStarved ? ': starved' : ''})`
}

function say(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

function outputOf({ stack }: AlertWorld): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(stack.output).map(([name, text]) => [name, text?.slice(-3_000)])),
  )
}
