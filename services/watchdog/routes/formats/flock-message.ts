/** A notice as Flock's incoming webhooks take it: FlockML, which is XML, and the same as text for notifications. */

import { cut, escapeWithin } from '../../cut.ts'
import type { Notice } from '../notice.ts'
import { plainText } from './plain-text.ts'
import { signOf } from './words.ts'

/** Undocumented; others keep to 32,768. */
const MAX_CHARACTERS = { notification: 300, text: 15_000, flockml: 15_000 }

export function flockMessage(notice: Notice): object {
  const [first = '', ...lines] = plainText(notice).split('\n')
  const head = inXml(`${signOf(notice)} ${first}`, 1_000)
  return {
    ...shortFlockMessage(notice),
    flockml: `<flockml><b>${head}</b>${body(lines, MAX_CHARACTERS.flockml - head.length - 50)}</flockml>`,
  }
}

/** For a message that was refused. */
export function shortFlockMessage(notice: Notice): object {
  return {
    text: cut(plainText(notice), MAX_CHARACTERS.text),
    notification: cut(`${signOf(notice)} ${notice.headline}`, MAX_CHARACTERS.notification),
  }
}

/** Whole lines, as far as they go. */
function body(lines: readonly string[], maxCharacters: number): string {
  let shown = ''
  for (const line of lines) {
    const next = `<br/>${line
      .split(/(https?:\/\/\S+)/)
      .map(inline)
      .join('')}`
    if (shown.length + next.length > maxCharacters) return `${shown}<br/>…`
    shown += next
  }
  return shown
}

/** Every second part is an address. */
function inline(part: string, at: number): string {
  const text = inXml(part, 2_000)
  return at % 2 === 1 && text.length < 2_000 ? `<a href="${text}">${text}</a>` : text
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** Control characters have no place in XML, not even escaped. */
function inXml(text: string, maxCharacters: number): string {
  return escapeWithin(text.replaceAll(/[^\P{Cc}\t]|[\uFFFE\uFFFF]/gu, ' '), maxCharacters, ENTITIES)
}
