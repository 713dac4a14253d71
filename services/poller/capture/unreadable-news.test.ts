import type { ShardsView, ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { UnreadableNews } from './unreadable-news.ts'

const shardsOf = (index: string, count: number) =>
  Array.from({ length: count }, (_, shard) => ({ index, shard }))
const names = (shards: readonly { readonly index: string; readonly shard: number }[]) =>
  shards.map(({ index, shard }) => `${index}/${shard}`)

function open(ours: { readonly index: string; readonly shard: number }[]) {
  const lines: string[] = []
  const news = new UnreadableNews({
    ...quietLog,
    warn: (line) => void lines.push(`warn ${line}`),
    info: (line) => void lines.push(`info ${line}`),
  })
  const look = (
    unreadable: readonly string[],
    readable: readonly { index: string; shard: number }[] = [],
  ) => {
    lines.length = 0
    const view = { readable: readable as ShardView[], unreadable, closed: [], indexUuids: new Set<string>() }
    news.tell({ clusterUuid: 'c', ...view } satisfies ShardsView, ours)
    return [...lines]
  }
  return { look }
}

test('a restart of Elasticsearch is a line for each index when it begins and one when it ends, of our shards only', () => {
  const [flights, trains, theirs] = [shardsOf('flights', 3), shardsOf('trains', 12), shardsOf('ships', 2)]
  const { look } = open([...flights, ...trains])
  const all = [...flights, ...trains, ...theirs]
  expect(look(names(all))).toEqual([]) // it may be nothing
  expect(look(names(all))).toEqual([
    'warn flights: no primary that can be read, capture waits: shards 0, 1, 2',
    'warn trains: no primary that can be read, capture waits: shards 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more',
  ])
  expect(look(names(all))).toEqual([])
  expect(look([...names(trains), 'flights/1'], [flights[0]!, flights[2]!])).toEqual([
    'info flights: can be read again: shards 0, 2',
  ])
  expect(look(names(trains), flights)).toEqual(['info flights: can be read again: shard 1'])
})

test('a shard that does not come back is not said to be readable, and one that another poller has now is its news', () => {
  const ours = shardsOf('flights', 2)
  const { look } = open(ours)
  for (let looks = 0; looks < 2; looks++) look(names(ours))
  ours.length = 1
  expect(look(names(shardsOf('flights', 2)))).toEqual([])
  expect(look([])).toEqual(['info flights: is closed or no more: shard 0'])
})
