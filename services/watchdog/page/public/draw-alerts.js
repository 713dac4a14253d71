// What is wrong, and what operators have ordered.
import { h } from './dom.js'
import { prose } from './parts.js'
import { sparkline } from './sparkline.js'
import { duration, measured } from './words.js'

export function alerts({ alerts, orders, atMs }) {
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
    phase === 'firing' &&
      h('dl', {}, [
        effect !== null && [h('dt', {}, 'For callers'), h('dd', {}, prose(effect))],
        firstLook !== null && [h('dt', {}, 'First look'), h('dd', {}, prose(firstLook))],
        details.map(({ name, value }) => [h('dt', {}, name), h('dd', {}, prose(value))]),
        h('dt', {}, 'Runbook'),
        h('dd', {}, [
          h('code', {}, `docs/runbooks/${alert.runbook}.md`),
          alert.kibana && [' ', h('a', { href: alert.kibana, rel: 'noreferrer' }, 'in Kibana')],
        ]),
      ]),
  ])
}

export function orderText({ by, reason, untilMs }) {
  return `${reason || 'no reason given'} (${by}), until ${clock(untilMs)}`
}

/** Time of day here, with the day where it is another one. */
function clock(atMs) {
  const at = new Date(atMs)
  const sameDay = at.toDateString() === new Date().toDateString()
  const time = { hour: '2-digit', minute: '2-digit' }
  return at.toLocaleString([], sameDay ? time : { ...time, day: 'numeric', month: 'short' })
}
