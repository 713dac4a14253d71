import { expect, test } from 'vitest'
import { World } from './world.kit.ts'

const STEPS = 400
const seeds =
  process.env['SEED'] === undefined
    ? Array.from({ length: 2_000 }, (_, seed) => seed)
    : [Number(process.env['SEED'])]

/**
 * Whatever fails in whatever order (failovers that roll back, restarts of a single copy, restores, crashes of the
 * poller, lost answers), once it ends every live document's current revision has been emitted, and nothing newer.
 */
test(`no live document is lost or hidden by a revision that was rolled back [${seeds.length} seeds]`, () => {
  for (const seed of seeds) {
    const world = new World(seed)
    world.run(STEPS)
    world.heal()
    expect(world.wrong(), `replay with SEED=${seed}: ${JSON.stringify(world.rates)}`).toEqual([])
  }
})
