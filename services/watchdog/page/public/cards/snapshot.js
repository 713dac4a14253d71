import { h } from '../dom.js'
import { bytes, count, duration, plural } from '../words.js'
import { card, facts, nothing, row } from './card.js'

export function snapshot({ snapshot: { manifest, held }, atMs }) {
  return card('Snapshot', manifest === null ? '' : `commit ${count(manifest.commit)}`, [
    manifest === null
      ? nothing('No snapshot is seen in S3.')
      : [
          h('p', { class: 'lead' }, [
            h('b', {}, `${count(manifest.rows)} rows`),
            h('span', {}, `written ${duration((atMs - manifest.writtenAtMs) / 1_000)} ago`),
          ]),
          facts([
            ['Files', `${count(manifest.files)}, of which ${plural(manifest.deltas, 'delta')}`],
            ['Size', bytes(manifest.bytes)],
            ['Written by', manifest.writtenBy],
          ]),
        ],
    held.length > 0 && [
      h('p', { class: 'label' }, 'Held by gateways'),
      h(
        'div',
        { class: 'wide' },
        h('table', {}, [
          h('thead', {}, row('th', ['Gateway', 'commit', 'keys', 'memory'])),
          h(
            'tbody',
            {},
            held.map(({ instance, commit, behindCommits, keys, memoryBytes }) =>
              row('td', [
                instance,
                behindCommits > 0 ? `${count(commit)} (${behindCommits} behind)` : count(commit),
                count(keys),
                bytes(memoryBytes),
              ]),
            ),
          ),
        ]),
      ),
    ],
  ])
}
