/** What goes forward only: where each of it stood, look by look. */
import type { Facts } from '@freshet/records/facts.ts'

export interface Place {
  /** Of what is compared; what may lawfully put it back is part of it. */
  readonly id: string
  readonly kind: 'group' | 'topic' | 'cursor' | 'snapshot'
  /** Of what people are told of as one. */
  readonly name: string
  readonly topic?: string
  /** e.g. `partition 3`. */
  readonly where: string
  readonly at: number
}

export function placesOf({ groups, capture, snapshot }: Facts): readonly Place[] {
  return [
    ...groups.flatMap(({ groupId, topic, partitions }) =>
      partitions.flatMap(({ partition, committedOffset, endOffset }): Place[] => {
        const where = `partition ${partition}`
        return [
          { id: `end ${topic}/${partition}`, kind: 'topic', name: topic, topic, where, at: endOffset },
          {
            id: `at ${groupId}/${partition}`,
            kind: 'group',
            name: groupId,
            topic,
            where,
            at: committedOffset ?? 0,
          },
        ]
      }),
    ),
    ...(capture.value?.shards ?? []).flatMap(
      ({ index, indexUuid, shard, cursorSeqNo, epoch, primaryTerm }): Place[] => {
        if (cursorSeqNo === null) return []
        const id = `cursor ${indexUuid}/${shard}/${epoch}/${primaryTerm}`
        return [{ id, kind: 'cursor', name: 'capture', where: `${index}/${shard}`, at: cursorSeqNo }]
      },
    ),
    ...(snapshot.value === null
      ? []
      : [
          {
            id: 'snapshot',
            kind: 'snapshot',
            name: 'snapshot',
            where: 'commit',
            at: snapshot.value.sequence,
          } as const,
        ]),
  ]
}

/** Made once for a look that is remembered for many: with hundreds of shards that is what judging would cost. */
export function positionsOf(facts: Facts): ReadonlyMap<string, number> {
  let positions = POSITIONS.get(facts)
  if (positions === undefined) {
    positions = new Map(placesOf(facts).map(({ id, at }) => [id, at]))
    POSITIONS.set(facts, positions)
  }
  return positions
}

const POSITIONS = new WeakMap<Facts, ReadonlyMap<string, number>>()

/** @param earlier oldest first */
export function hasGoneBack({ id, at }: Place, earlier: readonly Facts[]): boolean {
  const positions = [...earlier.map((facts) => positionsOf(facts).get(id) ?? 0), at]
  return positions.some((position, look) => look > 0 && position < positions[look - 1]!)
}

/** @param last what was remembered last; undefined: nothing is */
export function goesBack(now: Facts, last: Facts | undefined): boolean {
  return last !== undefined && placesOf(now).some((place) => hasGoneBack(place, [last]))
}
