// What several parts of the page are made of.
import { h } from './dom.js'

/** A dot whose colour is never all that tells: words stand beside it, and its shape differs. */
export function mark(level, label) {
  const attributes = label === undefined ? { 'aria-hidden': 'true' } : { role: 'img', 'aria-label': label }
  return h('span', { class: 'mark', 'data-level': level, ...attributes })
}

/** @param history of the state */
export function minutesOf({ bucketSeconds, buckets }) {
  return Math.round((bucketSeconds * buckets) / 60)
}

/** Text with `code` in it. */
export function prose(text) {
  return text.split('`').map((part, at) => (at % 2 === 1 ? h('code', {}, part) : part))
}
