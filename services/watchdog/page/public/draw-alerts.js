// What is wrong, and what operators have ordered.
import { h } from './dom.js'
import { prose } from './parts.js'
import { sparkline } from './sparkline.js'
import { duration, measured } from './words.js'

export function alerts({ alerts, orders, atMs }) {
  const { silences, traces } = orders
  const firing = alerts.filter(({ phase }) => phase === 'firing')
  const others = alerts.filter(({ phase }) => phase !== 'firing')
  const all = firing.length + others.length + silences.length + traces.length
  return h('section', { class: 'alerts', 'aria-label': 'Alerts', hidden: all === 0 }, [
    firing.map((alert, at) => alertCard(alert, atMs, at === 0)),
    h('ul', { class: 'lines', hidden: others.length + silences.length + traces.length === 0 }, [
      others.map((alert) => otherLine(alert, atMs)),
      silences.map((silence) => orderLine(`Silence of ${silence.match}`, silence)),
      traces.map((trace) => orderLine(`Tracing ${trace.key}`, trace)),
    ]),
  ])
}

/** @param isFirst stands open, unless somebody closes it */
function alertCard(alert, atMs, isFirst) {
  const { id, severity, title, sinceMs, details, effect, firstLook, runbook, measure, flapping, heldBack } =
    alert
  return h(
    'details',
    { class: 'alert', 'data-phase': 'firing', 'data-level': severity, 'data-id': id, open: isFirst },
    [
      h('summary', {}, [
        h('span', { class: 'tags' }, [
          h('span', { class: 'tag', 'data-level': severity }, severity),
          flapping && h('span', { class: 'tag' }, 'flapping'),
          heldBack !== null && h('span', { class: 'tag' }, `not told: ${heldBack}`),
          h('span', { class: 'since' }, `for ${duration((atMs - sinceMs) / 1_000)}, since ${clock(sinceMs)}`),
        ]),
        h('b', {}, title),
        measure !== null && measure.values.length > 1 && trend(measure),
      ]),
      h('dl', {}, [
        effect !== null && [h('dt', {}, 'For callers'), h('dd', {}, prose(effect))],
        firstLook !== null && [h('dt', {}, 'First look'), h('dd', {}, prose(firstLook))],
        details.map(({ name, value }) => [h('dt', {}, name), h('dd', {}, prose(value))]),
        h('dt', {}, 'Runbook'),
        h('dd', {}, [
          runbook.url === null
            ? h('code', {}, runbook.file)
            : h('a', { href: runbook.url, rel: 'noreferrer' }, runbook.file),
          alert.kibana !== null && [
            ' ',
            h('a', { href: alert.kibana, rel: 'noreferrer' }, 'See it in Kibana'),
          ],
        ]),
      ]),
    ],
  )
}

function trend({ values, threshold, unit }) {
  return h('span', { class: 'trend' }, [
    sparkline(values, { name: 'How bad', threshold }),
    h('small', {}, `alert above ${measured(threshold, unit)}`),
  ])
}

function otherLine({ id, phase, title, sinceMs, resolvedAtMs }, atMs) {
  const when =
    phase === 'resolved'
      ? `over since ${clock(resolvedAtMs)}, lasted ${duration((resolvedAtMs - sinceMs) / 1_000)}`
      : `for ${duration((atMs - sinceMs) / 1_000)}, an alert if it stays`
  const level = phase === 'resolved' ? 'well' : 'unknown'
  return h('li', { 'data-phase': phase, 'data-id': id }, [
    h('span', { class: 'tag', 'data-level': level }, phase),
    ' ',
    h('b', {}, title),
    ` ${when}`,
  ])
}

function orderLine(what, order) {
  return h('li', {}, [h('span', { class: 'tag' }, 'order'), ' ', h('b', {}, what), ` ${orderText(order)}`])
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
