// A state of the pipeline as elements, from the top of the page to its end. Draws; decides nothing.
import { h } from './dom.js'
import { flow } from './draw-flow.js'
import { sparkline } from './sparkline.js'
import { bytes, count, duration, measured, percent, plural, rate } from './words.js'

/** @returns {Node[]} */
export function draw(state) {
  return [
    verdict(state),
    alerts(state),
    flow(state),
    h('div', { class: 'cards' }, [
      answers(state),
      model(state),
      snapshot(state),
      shards(state),
      partitions(state),
      instances(state),
      servers(state),
    ]),
  ]
}

function verdict({ verdict: { level, headline }, freshness, history, blind, orders, links }) {
  const minutes = Math.round((history.bucketSeconds * history.buckets) / 60)
  return h('section', { class: 'verdict', 'data-level': level, 'aria-live': 'polite' }, [
    h('div', { class: 'said' }, [
      h('h2', {}, [mark(level), headline]),
      blind.map((what) => h('p', { class: 'note' }, `Not seen just now: ${what}`)),
      orders.maintenance && h('p', { class: 'note' }, `Maintenance: ${orderText(orders.maintenance)}`),
      links.length > 0 &&
        h(
          'p',
          { class: 'links' },
          links.map(({ title, url }) => h('a', { href: url, rel: 'noreferrer' }, title)),
        ),
    ]),
    freshness.now !== null &&
      h('figure', { class: 'freshness' }, [
        h('figcaption', {}, [h('b', {}, duration(freshness.now)), ' from a change to its score in Redis']),
        sparkline(freshness.history, { name: 'Freshness', minutes, least: 1 }),
      ]),
  ])
}

function orderText({ by, reason, untilMs }) {
  return `${reason || 'no reason given'} (${by}), until ${clock(untilMs)}`
}

/** Time of day here, with the day where it is another one. */
function clock(atMs) {
  const at = new Date(atMs)
  const sameDay = at.toDateString() === new Date().toDateString()
  const time = { hour: '2-digit', minute: '2-digit' }
  return at.toLocaleString([], sameDay ? time : { ...time, day: 'numeric', month: 'short' })
}

/** A dot whose colour is never all that tells: words stand beside it, and its shape differs. */
function mark(level, label) {
  const attributes = label === undefined ? { 'aria-hidden': 'true' } : { role: 'img', 'aria-label': label }
  return h('span', { class: 'mark', 'data-level': level, ...attributes })
}

function alerts({ alerts, orders, atMs }) {
  const { silences, traces } = orders
  if (alerts.length === 0 && silences.length === 0 && traces.length === 0)
    return h('section', { class: 'alerts', hidden: true })
  return h('section', { class: 'alerts', 'aria-label': 'Alerts' }, [
    alerts.map((alert) => alertCard(alert, atMs)),
    (silences.length > 0 || traces.length > 0) &&
      h('ul', { class: 'orders' }, [
        silences.map((silence) =>
          h('li', {}, [h('b', {}, `Silence ${silence.match}`), ` ${orderText(silence)}`]),
        ),
        traces.map((trace) => h('li', {}, [h('b', {}, `Tracing ${trace.key}`), ` ${orderText(trace)}`])),
      ]),
  ])
}

function alertCard(alert, atMs) {
  const { phase, severity, title, sinceMs, resolvedAtMs, details, effect, firstLook, measure } = alert
  const level = phase === 'firing' ? severity : phase === 'resolved' ? 'well' : 'unknown'
  const since =
    phase === 'resolved'
      ? `over since ${clock(resolvedAtMs)}, lasted ${duration((resolvedAtMs - sinceMs) / 1_000)}`
      : `for ${duration((atMs - sinceMs) / 1_000)}, since ${clock(sinceMs)}`
  return h('article', { class: 'alert', 'data-phase': phase, 'data-level': level, 'data-id': alert.id }, [
    h('header', {}, [
      h('p', { class: 'tags' }, [
        h('span', { class: 'tag', 'data-level': level }, phase === 'firing' ? severity : phase),
        alert.flapping && h('span', { class: 'tag' }, 'flapping'),
        alert.heldBack !== null && h('span', { class: 'tag' }, `not told: ${alert.heldBack}`),
        h('span', { class: 'since' }, since),
      ]),
      h('h3', {}, title),
    ]),
    measure !== null &&
      measure.values.length > 1 &&
      h('figure', {}, [
        sparkline(measure.values, { name: 'How bad', threshold: measure.threshold }),
        h('figcaption', {}, `alert above ${measured(measure.threshold, measure.unit)}`),
      ]),
    phase !== 'resolved' &&
      h('dl', {}, [
        effect && [h('dt', {}, 'For callers'), h('dd', {}, effect)],
        firstLook && [h('dt', {}, 'First look'), h('dd', {}, firstLook)],
        details.map(({ name, value }) => [h('dt', {}, name), h('dd', {}, value)]),
        h('dt', {}, 'Runbook'),
        h('dd', {}, [
          h('code', {}, `docs/runbooks/${alert.runbook}.md`),
          alert.kibana && [' ', h('a', { href: alert.kibana, rel: 'noreferrer' }, 'in Kibana')],
        ]),
      ]),
  ])
}

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

function answers({ gateway }) {
  const { sources, perSecond, degradedPerSecond, latePerSecond, refusedPerSecond } = gateway
  const any = sources.some(({ answers }) => answers > 0)
  return card('Answers by source', `${rate(perSecond)} a second`, [
    any ? shareBar(sources) : nothing('Nobody has asked yet.'),
    any &&
      h('table', {}, [
        h('thead', {}, row('th', ['Source', 'a second', 'share', 'in all'])),
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
    facts([
      ['Degraded', `${rate(degradedPerSecond)} a second`, degradedPerSecond > 0 && 'warning'],
      ['After the deadline', `${rate(latePerSecond)} a second`, latePerSecond > 0 && 'warning'],
      ['Refused with 503', `${rate(refusedPerSecond)} a second`, refusedPerSecond > 0 && 'warning'],
    ]),
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

function model({ model: { inUse, rescore, refused, drift }, atMs }) {
  return card('Model', inUse.length > 1 ? `${inUse.length} in use` : '', [
    inUse.length === 0 && nothing('No model is in use.'),
    inUse.map(({ model: name, instances }) =>
      h('p', { class: 'lead' }, [h('b', {}, name), h('span', {}, plural(instances.length, 'instance'))]),
    ),
    rescore !== null && [
      h(
        'p',
        { class: 'label' },
        `Scoring again with promotion ${rescore.promotion}: ${percent(rescore.share)}`,
      ),
      bar(rescore.share, `${percent(rescore.share)} scored again`),
      facts([
        ['Still to come', `${count(rescore.left)} of ${count(rescore.total)}`],
        ['Speed', `${rate(rescore.perSecond)} rows a second`],
        ['Ready in', rescore.leftSeconds === null ? 'not moving' : duration(rescore.leftSeconds)],
        rescore.beganAtMs !== null && ['Began', `${duration((atMs - rescore.beganAtMs) / 1_000)} ago`],
      ]),
    ],
    rescore === null &&
      inUse.length > 0 &&
      h('p', { class: 'label' }, 'All scores are of the promoted model.'),
    facts([
      drift !== null &&
        drift.outputs.length > 0 && [
          'Drift (PSI)',
          drift.outputs.map(({ output, psi }) => `${output} ${psi.toFixed(2)}`).join(', '),
          drift.outputs.some(({ psi }) => psi > 0.25) && 'warning',
        ],
      drift !== null && ['Documents of the last hour', count(drift.documents)],
      ['Promotions refused', count(refused), refused > 0 && 'warning'],
    ]),
  ])
}

function snapshot({ snapshot: { manifest, held }, atMs }) {
  return card('Snapshot', manifest === null ? '' : `commit ${count(manifest.sequence)}`, [
    manifest === null
      ? nothing('No snapshot is seen in S3.')
      : [
          h('p', { class: 'lead' }, [
            h('b', {}, `${duration((atMs - manifest.writtenAtMs) / 1_000)} old`),
            h('span', {}, `${count(manifest.rows)} rows, ${bytes(manifest.bytes)}`),
          ]),
          facts([['Files', `${plural(manifest.bases, 'base')}, ${plural(manifest.deltas, 'delta')}`]]),
        ],
    held.length > 0 && h('p', { class: 'label' }, 'Held by gateways'),
    held.length > 0 &&
      h(
        'div',
        { class: 'wide' },
        h('table', {}, [
          h('thead', {}, row('th', ['Gateway', 'commit', 'age', 'keys', 'memory'])),
          h(
            'tbody',
            {},
            held.map(({ instance, sequence, behindCommits, ageSeconds, keys, memoryBytes }) =>
              row('td', [
                instance,
                behindCommits > 0 ? `${count(sequence)} (${behindCommits} behind)` : count(sequence),
                duration(ageSeconds),
                count(keys),
                bytes(memoryBytes),
              ]),
            ),
          ),
        ]),
      ),
  ])
}

function shards({ capture: { mode, shards, behindOperations, sweep }, atMs }) {
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
          : 'No shard is captured yet.',
      ),
    shards.rows.length > 0 &&
      h(
        'div',
        { class: 'wide' },
        h('table', {}, [
          h('thead', {}, row('th', ['Shard', '', 'cursor', 'Elasticsearch', 'behind'])),
          h(
            'tbody',
            {},
            shards.rows.map((shard) =>
              row('td', [
                [
                  mark(shard.level, shard.level),
                  `${shard.index}/${shard.shard}`,
                  shard.note && h('small', {}, shard.note),
                ],
                shard.share === null ? '' : bar(shard.share, `${percent(shard.share)} captured`, shard.level),
                seqNo(shard.cursorSeqNo),
                seqNo(shard.checkpointSeqNo),
                shard.behindOperations === null ? '–' : count(shard.behindOperations),
              ]),
            ),
          ),
        ]),
      ),
    shards.more > 0 && nothing(`and ${plural(shards.more, 'more shard')}, which are further`),
    facts([
      [
        'Last final sweep for deletes',
        sweep.sweptAtMs === null ? 'none yet' : `${duration((atMs - sweep.sweptAtMs) / 1_000)} ago`,
      ],
      sweep.dueShards > 0 && ['Shards due for a sweep', count(sweep.dueShards)],
    ]),
  ])
}

function seqNo(value) {
  if (value === null) return '–'
  return value < 0 ? 'nothing' : value.toLocaleString('en-US')
}

function partitions({ groups }) {
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
            h('li', { 'data-heat': heatOf(partition), title: partitionText(partition) }, [
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
          ['0', 'all read'],
          ['1', 'up to 1 s'],
          ['2', 'up to 10 s'],
          ['3', 'up to 1 min'],
          ['4', 'more'],
        ].map(([heat, text]) => h('span', {}, [h('i', { 'data-heat': heat, 'aria-hidden': 'true' }), text])),
      ),
  ])
}

function heatOf({ waiting, behindSeconds }) {
  if (waiting === 0) return 0
  return 1 + [1, 10, 60].filter((seconds) => behindSeconds > seconds).length
}

function partitionText({ partition, committedOffset, endOffset, waiting, behindSeconds }) {
  const where =
    committedOffset === null ? 'nothing read yet' : `read to ${count(committedOffset)} of ${count(endOffset)}`
  return `Partition ${partition}: ${where}${waiting > 0 ? `, ${count(waiting)} waiting, ${duration(behindSeconds)} behind` : ''}`
}

function instances({ instances: all, atMs }) {
  return card('Instances', all.length > 0 ? String(all.length) : '', [
    all.length === 0 && nothing(['Nothing runs. ', h('code', {}, 'freshet run all'), ' starts it.']),
    all.length > 0 &&
      h(
        'div',
        { class: 'wide' },
        h('table', {}, [
          h('thead', {}, row('th', ['Instance', 'status', 'up for', 'heard'])),
          h(
            'tbody',
            {},
            all.map(({ instance, status, level, startedAtMs, silentSeconds, errors }) => [
              row('td', [
                [mark(level), instance],
                status,
                duration((atMs - startedAtMs) / 1_000),
                `${duration(silentSeconds)} ago`,
              ]),
              errors.map(({ worker, error, atMs: failedAtMs }) =>
                h(
                  'tr',
                  { class: 'error' },
                  h('td', { colspan: 4 }, [
                    h('b', {}, worker === null ? 'last error' : `${worker} fails`),
                    failedAtMs === null ? ': ' : ` ${duration((atMs - failedAtMs) / 1_000)} ago: `,
                    error,
                  ]),
                ),
              ),
            ]),
          ),
        ]),
      ),
  ])
}

function servers({ servers: all }) {
  if (all.length === 0) return null
  return card('Servers', '', [
    h(
      'ul',
      { class: 'servers' },
      all.map(({ name, level, error }) =>
        h('li', {}, [
          mark(level),
          h('b', {}, name),
          h('span', {}, error ?? (level === 'well' ? 'answers' : 'not asked yet')),
        ]),
      ),
    ),
  ])
}

function row(cell, texts) {
  return h(
    'tr',
    {},
    texts.map((text) => h(cell, cell === 'th' ? { scope: 'col' } : {}, text)),
  )
}
