// A state of the pipeline as elements, from the top of the page to its end. Draws; decides nothing.
import { answers } from './cards/answers.js'
import { instances, servers } from './cards/instances.js'
import { model } from './cards/model.js'
import { partitions, shards } from './cards/positions.js'
import { snapshot } from './cards/snapshot.js'
import { h } from './dom.js'
import { alerts, orderText } from './draw-alerts.js'
import { flow } from './draw-flow.js'
import { mark, minutesOf, prose } from './parts.js'
import { sparkline } from './sparkline.js'
import { duration } from './words.js'

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

function verdict({ verdict: { level, headline, hint }, freshness, history, unseen, orders, links, atMs }) {
  return h('section', { class: 'verdict', 'data-level': level }, [
    h('div', { class: 'said' }, [
      h('h2', { 'aria-live': 'polite' }, [mark(level), headline]),
      hint !== null && h('p', { class: 'note' }, prose(hint)),
      orders.maintenance &&
        h('p', { class: 'note' }, `Maintenance, nobody is told: ${orderText(orders.maintenance)}`),
      unseen.map(({ what, error, sinceMs }) =>
        h('p', { class: 'note' }, `Not seen for ${duration((atMs - sinceMs) / 1_000)}: ${what} (${error})`),
      ),
      links.length > 0 &&
        h(
          'p',
          { class: 'links' },
          links.map(({ title, url }) => h('a', { href: url, rel: 'noreferrer' }, title)),
        ),
    ]),
    freshnessFigure(freshness, minutesOf(history)),
  ])
}

function freshnessFigure({ p50Seconds, p99Seconds, waitingSeconds, history }, minutes) {
  if (p50Seconds === null && waitingSeconds === null) return null
  const words =
    p50Seconds !== null
      ? [
          h('b', {}, duration(p50Seconds)),
          ' from capture to the score in Redis',
          p99Seconds !== null && `; 99 % within ${duration(p99Seconds)}`,
        ]
      : waitingSeconds > 0
        ? ['What changed last waits for ', h('b', {}, duration(waitingSeconds))]
        : [h('b', {}, 'All scored'), ': nothing waits on the way to Redis']
  return h('figure', { class: 'freshness' }, [
    h('figcaption', {}, words),
    sparkline(history, { name: 'Freshness', minutes, least: 1 }),
    h('p', { class: 'axis', 'aria-hidden': 'true' }, [
      h('span', {}, `${minutes} min ago`),
      h('span', {}, 'now'),
    ]),
  ])
}
