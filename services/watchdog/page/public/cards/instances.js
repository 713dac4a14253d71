// Who runs, and what they need.
import { h } from '../dom.js'
import { mark } from '../parts.js'
import { duration } from '../words.js'
import { card, nothing } from './card.js'

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
