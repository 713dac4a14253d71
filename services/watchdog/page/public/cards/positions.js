// How far the shards are captured, and how far the partitions are read.
import { h } from '../dom.js'
import { count, duration, percent, plural } from '../words.js'
import { bar, card, facts, nothing } from './card.js'

export function shards({ capture: { mode, shards, behindOperations, sweep }, atMs }) {
  const aside =
    behindOperations === null
      ? ''
      : behindOperations === 0
        ? 'all captured'
        : `${count(behindOperations)} to come`
  return card('Shards and cursors', aside, [
    shards.rows.length === 0 &&
      nothing(
        mode === 'timestamp'
          ? 'Found by timestamps: there are no cursors to compare.'
          : 'No shard is seen yet.',
      ),
    h('ul', { class: 'shards' }, shards.rows.map(shardRow)),
    shards.more > 0 && nothing(`and ${plural(shards.more, 'more shard')}`),
    facts([
      [
        'Last final sweep for deletes',
        sweep.sweptAtMs === null ? 'none yet' : `${duration((atMs - sweep.sweptAtMs) / 1_000)} ago`,
      ],
      sweep.dueShards > 0 && ['Shards due for a sweep', count(sweep.dueShards)],
    ]),
  ])
}

function shardRow({ index, shard, share, cursorSeqNo, checkpointSeqNo, behindOperations, behindSeconds }) {
  const late = behindOperations === 0 ? '' : `${count(behindOperations)} behind, ${duration(behindSeconds)}`
  return h('li', {}, [
    h('b', {}, `${index}/${shard}`),
    h('span', {}, [`${seqNo(cursorSeqNo)} of ${seqNo(checkpointSeqNo)}`]),
    bar(share, `${percent(share)} captured${late === '' ? '' : `, ${late}`}`),
    late !== '' && h('span', { class: 'late' }, late),
  ])
}

function seqNo(value) {
  if (value === null) return 'no cursor'
  return value < 0 ? '0' : value.toLocaleString('en-US')
}

export function partitions({ groups }) {
  return card('Partitions', '', [
    groups.length === 0 && nothing('Not seen.'),
    groups.map(({ groupId, topic, waiting, behindSeconds, partitions: each }) =>
      h('div', { class: 'group' }, [
        h('p', { class: 'label' }, [
          h('b', {}, groupId),
          ` on ${topic}: `,
          waiting === 0 ? 'all read' : `${count(waiting)} waiting, ${duration(behindSeconds)} behind`,
        ]),
        h(
          'ul',
          { class: 'cells', 'aria-label': `Partitions of ${topic}` },
          each.map((partition) =>
            h('li', { 'data-heat': partition.heat, title: partitionText(partition) }, [
              h('span', { 'aria-hidden': 'true' }, String(partition.partition)),
              h('span', { class: 'unseen' }, partitionText(partition)),
            ]),
          ),
        ),
      ]),
    ),
    groups.length > 0 &&
      h(
        'p',
        { class: 'legend' },
        [
          ['0', 'nothing waits'],
          ['1', 'as usual'],
          ['2', 'a little late'],
          ['3', 'late'],
          ['4', 'very late'],
        ].map(([heat, text]) => h('span', {}, [h('i', { 'data-heat': heat, 'aria-hidden': 'true' }), text])),
      ),
  ])
}

function partitionText({ partition, committedOffset, endOffset, waiting, behindSeconds }) {
  const where =
    committedOffset === null ? 'nothing read yet' : `read to ${count(committedOffset)} of ${count(endOffset)}`
  return `Partition ${partition}: ${where}${waiting > 0 ? `, ${count(waiting)} waiting, ${duration(behindSeconds)} behind` : ''}`
}
