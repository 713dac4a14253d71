// What is behind the picture: one card for each thing that has figures.
import { h } from './dom.js'
import { mark } from './parts.js'
import { bytes, count, duration, percent, plural, rate } from './words.js'

function card(title, aside, ...body) {
  const id = `card-${title.toLowerCase().replaceAll(/\W+/g, '-')}`
  return h('section', { class: 'card', id, 'aria-labelledby': `${id}-title` }, [
    h('header', {}, [h('h2', { id: `${id}-title` }, title), aside && h('p', {}, aside)]),
    ...body,
  ])
}

function nothing(text) {
  return h('p', { class: 'nothing' }, text)
}

export function answers({ gateway }) {
  const { sources, perSecond, degradedAnswers, lateAnswers, refusedRequests } = gateway
  const any = sources.some(({ answers }) => answers > 0)
  const troubles = Object.entries({
    Degraded: degradedAnswers,
    'After the deadline': lateAnswers,
    'Refused with 503': refusedRequests,
  }).filter(([, each]) => each > 0)
  return card('Answers by source', `${rate(perSecond)} a second`, [
    any ? shareBar(sources) : nothing('Nobody has asked yet.'),
    any &&
      h('table', {}, [
        h('thead', {}, row('th', ['Source', 'a second', 'share', 'in 5 min'])),
        h(
          'tbody',
          {},
          sources.map(({ source, perSecond: each, share, answers }) =>
            row('td', [
              [h('i', { class: 'swatch', 'data-source': source, 'aria-hidden': 'true' }), source],
              rate(each),
              percent(share),
              count(answers),
            ]),
          ),
        ),
      ]),
    any && facts(troubles.map(([what, each]) => [what, `${count(each)} in 5 min`, 'warning'])),
    any && troubles.length === 0 && nothing('None was degraded, late or refused.'),
  ])
}

function shareBar(sources) {
  const label = sources.map(({ source, share }) => `${source} ${percent(share)}`).join(', ')
  let x = 0
  return h(
    'svg',
    { class: 'shares', viewBox: '0 0 100 6', preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    sources.map(({ source, share }) => {
      const rect = h('rect', { 'data-source': source, x, y: 0, width: share * 100, height: 6 })
      x += share * 100
      return rect
    }),
  )
}

function bar(share, label, level) {
  return h(
    'svg',
    { class: 'bar', viewBox: '0 0 100 6', preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    [
      h('rect', { class: 'track', x: 0, y: 0, width: 100, height: 6 }),
      h('rect', {
        class: 'fill',
        'data-level': level,
        x: 0,
        y: 0,
        width: Math.max(0, Math.min(1, share)) * 100,
        height: 6,
      }),
    ],
  )
}

/** @param rows [name, value, level] */
function facts(rows) {
  return h(
    'dl',
    { class: 'facts' },
    rows
      .filter(Boolean)
      .map(([name, value, level]) => [
        h('dt', {}, name),
        h('dd', { 'data-level': level || undefined }, value),
      ]),
  )
}

export function model({ model: { promoted, inUse, rescore, refused, drift }, atMs }) {
  const others = inUse.filter(({ model: name }) => name !== promoted?.model)
  return card('Model', promoted === null ? '' : `promotion ${promoted.promotion}`, [
    promoted === null && inUse.length === 0 && nothing('No model is promoted.'),
    promoted !== null &&
      h('p', { class: 'lead' }, [
        h('b', {}, promoted.model),
        h('span', {}, `promoted ${duration((atMs - promoted.promotedAtMs) / 1_000)} ago`),
      ]),
    others.map(({ model: name, instances }) =>
      h('p', { class: 'label' }, [h('b', {}, name), ` still used by ${instances.join(', ')}`]),
    ),
    rescore !== null && rescoring(rescore, atMs),
    facts([
      promoted !== null && rescore === null && ['Scoring again', 'done'],
      [
        'In use by',
        plural(
          inUse.reduce((sum, { instances }) => sum + instances.length, 0),
          'instance',
        ),
      ],
      drift !== null &&
        drift.outputs.length > 0 && [
          `Drift (PSI), of ${count(drift.documents)} documents`,
          drift.outputs.map(({ output, psi }) => `${output} ${psi.toFixed(2)}`).join(', '),
          drift.outputs.some(({ psi }) => psi > 0.25) && 'warning',
        ],
      refused > 0 && ['Promotions refused in 5 min', count(refused), 'warning'],
    ]),
  ])
}

function rescoring({ promotion, share, left, total, beganAtMs, perSecond, leftSeconds }, atMs) {
  return [
    h('p', { class: 'label' }, `Scoring again with promotion ${promotion}: ${percent(share)}`),
    bar(share, `${percent(share)} scored again`),
    facts([
      ['Still to come', `${count(left)} of ${count(total)}`],
      ['Speed', `${rate(perSecond)} rows/s`],
      ['Done in about', leftSeconds === null ? 'it does not move' : duration(leftSeconds)],
      beganAtMs !== null && ['Began', `${duration((atMs - beganAtMs) / 1_000)} ago`],
    ]),
  ]
}

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

export function instances({ instances: all, atMs }) {
  return card('Instances', all.length > 0 ? String(all.length) : '', [
    all.length === 0 && nothing('Nobody is heard.'),
    h(
      'ul',
      { class: 'instances' },
      all.map(({ instance, status, level, startedAtMs, silentSeconds, errors }) =>
        h('li', {}, [
          h('span', {}, [mark(level), instance]),
          h('span', { class: 'soft' }, [
            h('b', { 'data-level': level }, status),
            silentSeconds < HEARD_LATELY_SECONDS
              ? ` for ${duration((atMs - startedAtMs) / 1_000)}`
              : `, heard ${duration(silentSeconds)} ago`,
          ]),
          errors.map(({ worker, error, atMs: failedAtMs }) =>
            h('p', {}, [
              h('b', {}, worker === null ? 'last error' : `${worker} fails`),
              failedAtMs === null ? ': ' : ` ${duration((atMs - failedAtMs) / 1_000)} ago: `,
              error,
            ]),
          ),
        ]),
      ),
    ),
  ])
}

/** Heartbeats come every 3 s. */
const HEARD_LATELY_SECONDS = 10

export function servers({ servers: all, atMs }) {
  if (all.length === 0) return null
  return card('Servers', '', [
    h(
      'ul',
      { class: 'servers' },
      all.map(({ name, level, error, sinceMs }) =>
        h('li', {}, [
          mark(level),
          h('b', {}, name),
          h(
            'span',
            {},
            error === null ? ANSWERS[level] : `away for ${duration((atMs - sinceMs) / 1_000)}: ${error}`,
          ),
        ]),
      ),
    ),
  ])
}

const ANSWERS = { well: 'answers', unknown: 'not asked yet' }

function row(cell, texts) {
  return h(
    'tr',
    {},
    texts.map((text) => h(cell, cell === 'th' ? { scope: 'col' } : {}, text)),
  )
}
