import { h } from '../dom.js'
import { count, percent, rate } from '../words.js'
import { card, facts, nothing, row } from './card.js'

export function answers({ gateway }) {
  const { sources, perSecond, degradedAnswers, degradedFor, lateAnswers, refusedRequests } = gateway
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
    any && degradedFor.length > 0 && facts([['Why', reasons(degradedFor), 'warning']]),
    any && troubles.length === 0 && nothing('None was degraded, late or refused.'),
  ])
}

function reasons(degradedFor) {
  return degradedFor.map(({ reason, answers }) => `${reason} ${count(answers)}`).join(', ')
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
