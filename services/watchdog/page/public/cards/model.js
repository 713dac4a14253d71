import { h } from '../dom.js'
import { count, duration, percent, plural, rate } from '../words.js'
import { bar, card, facts, nothing } from './card.js'

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
          drift.outputs.find(({ level }) => level !== 'well')?.level,
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
