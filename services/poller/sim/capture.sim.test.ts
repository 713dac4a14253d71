import { expect, test } from 'vitest'
import { PROTOCOL } from './poller/rules.kit.ts'
import { World } from './world.kit.ts'

const STEPS = 500
const { SEED, SEEDS = '1500', TRACE } = process.env
const seeds = SEED === undefined ? Array.from({ length: Number(SEEDS) }, (_, seed) => seed) : [Number(SEED)]

test(`no live document is lost or hidden by a revision that was rolled back [${seeds.length} seeds]`, () => {
  for (const seed of seeds) {
    const world = new World(seed, PROTOCOL, TRACE !== undefined)
    const wrong = world.run(STEPS)
    if (TRACE !== undefined) console.log(world.trace.join('\n'))
    expect(wrong, `replay with SEED=${seed} TRACE=1: ${JSON.stringify(world.rates)}`).toEqual([])
  }
})
