import { cursorKey } from '@freshet/records/cursor.ts'
import type { Chance } from '../chance.kit.ts'
import type { Witness } from '../witness.kit.ts'
import type { ClusterModel, Place } from './cluster-model.kit.ts'
import type { Operation } from './copy.kit.ts'
import type { ShardModel } from './shard-model.kit.ts'

/** What users, operators and failures do to the cluster, each with how often it happens when it happens at all. */
export function elasticsearchActs(cluster: ClusterModel, chance: Chance, witness: Witness) {
  const at = (act: (place: Place) => unknown) => () => {
    const place = chance.pick(cluster.places)
    if (place !== undefined) act(place)
  }
  /** Failures like to come when operations above the checkpoint hide older ones. */
  const fault = (what: string, may: (place: Place) => boolean, act: (place: Place) => void) => () => {
    const places = cluster.places.filter(may)
    const risky = places.filter(({ shard }) => shard.isHiding)
    const place = chance.pick(risky.length > 0 && chance.happens(0.7) ? risky : places)
    if (place !== undefined) witness.faced(place, what, () => act(place))
  }
  /** Some documents are written more often than others, and a few are heavy. */
  const operation = ({ documentIds }: ShardModel, kind: Operation['kind']) => {
    const id = chance.pick(chance.happens(0.5) ? documentIds.slice(0, 2) : documentIds)!
    return { id, kind, bytes: chance.happens(0.1) ? 600 : 10 }
  }
  const write = (kind: Operation['kind']) =>
    at(({ index, number, shard }) => {
      for (let writes = 1 + chance.below(3); writes > 0; writes--) {
        const written = operation(shard, kind)
        shard.write(written)
        witness.tell(
          () =>
            `${cursorKey(index.uuid, number)} (${index.name}) ${kind} ${written.id}@${shard.answer.maxSeqNo}`,
        )
      }
    })
  const always = () => true

  return {
    write: { rate: 12, act: write('document') },
    mark: { rate: 2, act: write('marked') },
    delete: { rate: 3, act: write('delete') },
    replicate: { rate: 24, act: at(({ shard }) => shard.replicate()) },
    refresh: { rate: 5, act: at(({ shard }) => shard.refreshOne()) },
    join: { rate: 1, act: at(({ shard }) => shard.join()) },
    fallOut: { rate: 0.5, act: at(({ shard }) => shard.fallOut()) },
    hang: { rate: 1, act: at(({ shard }) => shard.hang()) },
    stall: { rate: 1, act: at(({ shard }) => shard.stall()) },
    goOn: { rate: 2, act: at(({ shard }) => shard.goOn()) },
    failOver: {
      rate: 1.5,
      act: fault(
        'fails over',
        ({ shard }) => shard.hasReplica,
        ({ shard }) => shard.failOver(),
      ),
    },
    writeToGhost: {
      rate: 1,
      act: at(({ shard }) => shard.writeToGhost(operation(shard, 'document'))),
    },
    endGhost: { rate: 0.5, act: at(({ shard }) => shard.endGhost()) },
    restart: { rate: 0.8, act: fault('restarts', always, ({ shard }) => shard.restart()) },
    relocate: { rate: 0.3, act: fault('relocates', always, ({ shard }) => shard.relocate()) },
    backUp: { rate: 0.5, act: at(({ shard }) => shard.backUp()) },
    restore: { rate: 0.15, act: fault('is restored', always, ({ shard }) => shard.restore()) },
    forceStalePrimary: {
      rate: 0.3,
      act: fault(
        'gets a stale primary by force',
        ({ shard }) => shard.hasFallen,
        ({ shard }) => shard.forceStalePrimary(),
      ),
    },
    close: { rate: 0.2, act: at(({ index }) => (index.isClosed = true)) },
    open: { rate: 1, act: () => openAll(cluster, witness) },
    drop: { rate: 0.15, act: at(({ index }) => index.name !== 'a' && cluster.remove(index.name)) },
    create: { rate: 0.3, act: () => cluster.index('b') === undefined && cluster.create('b', 1) },
    recreate: { rate: 0.15, act: at(({ index }) => recreate(cluster, index.name, index.shards.length)) },
    shrink: {
      rate: 0.3,
      act: at(({ index }) => {
        if (index.shards.length > 1 && cluster.index('shrunk') === undefined)
          cluster.shrink(index.name, 'shrunk')
      }),
    },
  }
}

export function openAll(cluster: ClusterModel, witness: Witness): void {
  for (const index of cluster.indices) {
    if (!index.isClosed) continue
    index.isClosed = false
    for (const [number, shard] of index.shards.entries())
      witness.faced({ index, number, shard }, 'is opened', () => shard.reopen())
  }
}

function recreate(cluster: ClusterModel, name: string, shards: number): void {
  cluster.remove(name)
  cluster.create(name, shards)
}
