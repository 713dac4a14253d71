// What every card is made of: one card for each thing that has figures.
import { h } from '../dom.js'

export function card(title, aside, ...body) {
  const id = `card-${title.toLowerCase().replaceAll(/\W+/g, '-')}`
  return h('section', { class: 'card', id, 'aria-labelledby': `${id}-title` }, [
    h('header', {}, [h('h2', { id: `${id}-title` }, title), aside && h('p', {}, aside)]),
    ...body,
  ])
}

export function nothing(text) {
  return h('p', { class: 'nothing' }, text)
}

export function bar(share, label, level) {
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
export function facts(rows) {
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

/** @param {'th' | 'td'} cell */
export function row(cell, texts) {
  return h(
    'tr',
    {},
    texts.map((text) => h(cell, cell === 'th' ? { scope: 'col' } : {}, text)),
  )
}
