import { until } from '../../until.ts'
import type { Fault } from '../fault.ts'
import type { Asked } from '../load/generator.ts'
import { POOLS, ranking } from '../ranked-index.ts'
import { IN_BOTH } from '../truth.ts'
import { askOnce, lookup, type World } from '../world.ts'
import { numbers } from './asked.ts'

/** One ranking for every five lookups. */
const rankings = [
  ...numbers(0, IN_BOTH).map(lookup),
  ...numbers(0, IN_BOTH / 5).map((number) => ranking(number % POOLS)),
]
const isFresh = ({ status, pool }: Asked) => status === 200 && (pool === null || pool === 'elasticsearch')

/** The best of the last pool, scored now, whatever became of Elasticsearch. */
function fromLastPool({ status, pool, reason }: Asked): string | null {
  if (status !== 200) return `${status}`
  return pool === null || (pool === 'last' && reason !== null) ? null : `a pool from ${pool} for ${reason}`
}

/** Only a pool that was seen can be the last one. */
async function askEveryPool(world: World): Promise<void> {
  for (const pool of numbers(0, POOLS))
    await until(`pool ${pool} is known`, async () => (await askOnce(world, ranking(pool))).ok)
}

export const elasticsearchFaults: readonly Fault[] = [
  {
    name: 'elasticsearch-gone',
    title: 'Elasticsearch is away',
    world: { withIndex: true },
    load: () => ({ requests: rankings }),
    prepare: askEveryPool,
    async begin({ elasticsearchDoor }) {
      await elasticsearchDoor.slam()
      return () => elasticsearchDoor.open()
    },
    faultOf: fromLastPool,
    isWell: isFresh,
  },
  {
    name: 'elasticsearch-slow',
    title: 'Elasticsearch answers half a second late',
    world: { withIndex: true },
    load: () => ({ requests: rankings }),
    prepare: askEveryPool,
    async begin({ elasticsearchDoor }) {
      elasticsearchDoor.delayMs = 500
      return async () => {
        elasticsearchDoor.delayMs = 0
      }
    },
    faultOf: fromLastPool,
    isWell: isFresh,
  },
]
