import { count, duration, plural } from '@freshet/watchdog/page/public/words.js'
import type { GroupState, PageState } from '@freshet/watchdog/page/view/page-state.ts'
import { type Line, styled } from './line.ts'
import { gauge } from './signs.ts'

/** A terminal is shorter than a page. */
const MAX_SHARDS = 8

export function shardLines({ capture }: PageState): Line[] {
  const { rows, more } = capture.shards
  const width = Math.max(
    0,
    ...rows.slice(0, MAX_SHARDS).map(({ index, shard }) => `${index}/${shard}`.length),
  )
  const others = more + Math.max(0, rows.length - MAX_SHARDS)
  return [
    ...rows.slice(0, MAX_SHARDS).map((row): Line => {
      const { index, shard, share, cursorSeqNo, checkpointSeqNo, behindOperations, behindSeconds } = row
      return [
        `  ${`${index}/${shard}`.padEnd(Math.min(width, 36))} `,
        styled('accent', gauge(share, 10)),
        ` ${cursorSeqNo === null ? 'no cursor' : whole(cursorSeqNo)}`,
        styled('soft', ` of ${whole(checkpointSeqNo)}`),
        behindOperations === 0 ? '' : `  ${count(behindOperations)} behind, ${duration(behindSeconds)}`,
      ]
    }),
    ...(others === 0 ? [] : [[styled('soft', `  and ${plural(others, 'more shard')}`)]]),
  ]
}

/** A position: one off is another one. */
function whole(seqNo: number): string {
  return seqNo.toLocaleString('en-US')
}

const HEAT = ['·', '▂', '▄', '▆', '█']

/** One sign a partition, by its heat. */
export function groupLine({ groupId, topic, waiting, behindSeconds, members, partitions }: GroupState): Line {
  const cells = partitions.map(({ heat }) =>
    styled(heat > 3 ? 'critical' : heat > 2 ? 'warning' : 'accent', HEAT[heat]!),
  )
  const text = waiting === 0 ? 'all read' : `${count(waiting)} waiting, ${duration(behindSeconds)} behind`
  const who = members === null ? '' : `, ${plural(members, 'consumer')}`
  return [`  ${groupId.padEnd(20)} `, ...cells, `  ${text}`, styled('soft', ` on ${topic}${who}`)]
}
