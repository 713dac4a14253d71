import { until } from '../../until.ts'
import { ballastFile } from '../ballast.ts'
import type { Fault } from '../fault.ts'
import type { Asked } from '../load/generator.ts'
import { IN_BOTH, KEYS, keyOf, versionIn } from '../truth.ts'
import { lookup, type World } from '../world.ts'
import { numbers } from './asked.ts'

const SNAPSHOT_ONLY = numbers(IN_BOTH, KEYS)

export const s3Faults: readonly Fault[] = [
  {
    name: 's3-gone-at-start',
    title: 'S3 is away when the gateway starts',
    world: { withoutS3: true },
    load: () => ({ requests: [...numbers(IN_BOTH - 100, IN_BOTH), ...SNAPSHOT_ONLY].map(lookup) }),
    begin:
      async ({ s3Door }) =>
      () =>
        s3Door.open(),
    allowsDefault: true,
    isWell: ({ source }) => source === 'cache' || source === 'snapshot',
  },
  {
    name: 's3-gone-later',
    title: 'S3 is away, and a new snapshot waits there',
    load: () => ({ requests: SNAPSHOT_ONLY.map(lookup) }),
    async begin(world) {
      await world.s3Door.slam()
      await world.publish(SNAPSHOT_ONLY)
      return () => world.s3Door.open()
    },
    isWell: hasNewest,
  },
  {
    name: 'delta-100-mb',
    title: 'A delta of 100 MB arrives',
    load: () => ({ requests: [...numbers(IN_BOTH - 100, IN_BOTH), ...SNAPSHOT_ONLY].map(lookup) }),
    async prepare(world) {
      ballasts.set(world, await ballastFile(world.store, BALLAST_ROWS))
    },
    async begin(world) {
      await world.publish(SNAPSHOT_ONLY, [ballasts.get(world)!])
      return async () => {}
    },
    isWell: ({ source }) => source === 'cache' || source === 'snapshot', // nothing was broken; `after` waits for it
    after: (world) =>
      until('the delta is loaded', async () => {
        const last = KEYS - 1
        const reply = await fetch(`http://127.0.0.1:${world.port}/v1/scores/${keyOf(last)}`)
        const { score } = (await reply.json()) as { score: number }
        return versionIn(score, last) === world.truth.snapshotVersions.at(-1)
      }),
  },
]

const BALLAST_ROWS = 2_500_000
const ballasts = new WeakMap<World, Awaited<ReturnType<typeof ballastFile>>>()

function hasNewest({ key, source, score }: Asked, { truth }: World): boolean {
  if (source !== 'snapshot') return source === 'cache'
  const number = Number(key!.slice('flights/k-'.length))
  return number < IN_BOTH || versionIn(score, number) === truth.snapshotVersions.at(-1)
}
