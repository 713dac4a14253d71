/** What every format says in the same words. */
import { formatSeconds } from '../../format.ts'
import type { Notice, NoticeItem, NoticeLink, Tone } from '../notice.ts'

const SIGNS: Readonly<Record<Tone, string>> = { critical: '🔴', warning: '🟠', good: '🟢', plain: '⚪' }
const WORST_FIRST: readonly Tone[] = ['critical', 'warning', 'good']

/** How a notice looks from afar, for whoever cannot colour it. */
export function signOf({ tone }: Pick<Notice, 'tone'>): string {
  return SIGNS[tone]
}

export function toneOf({ change, severity }: Pick<NoticeItem, 'change' | 'severity'>): Tone {
  return change === 'resolved' ? 'good' : severity
}

export function worstTone(tones: readonly Tone[]): Tone {
  return WORST_FIRST.find((tone) => tones.includes(tone)) ?? 'plain'
}

/** `FIRING: air-infer is 5 min behind`. */
export function itemHeadline(item: Pick<NoticeItem, 'change' | 'title' | 'sinceMs' | 'atMs'>): string {
  return `${labelOf(item)}: ${item.title}`
}

/**
 * Of one alert its own; of several `3 alerts FIRING: air-infer is 5 min behind, and 2 more`.
 * @param more how many alerts there are beside the items
 */
export function noticeHeadline(items: readonly NoticeItem[], more: number): string {
  const [first] = items
  if (first === undefined) return 'nothing to tell'
  const count = items.length + more
  if (count === 1) return itemHeadline(first)
  return `${count} alerts ${LABELS[first.change]}: ${first.title}, and ${count - 1} more`
}

const LABELS: Readonly<Record<NoticeItem['change'], string>> = {
  firing: 'FIRING',
  reminder: 'STILL FIRING',
  flapping: 'FLAPPING',
  resolved: 'RESOLVED',
}

function labelOf({ change, sinceMs, atMs }: Pick<NoticeItem, 'change' | 'sinceMs' | 'atMs'>): string {
  const hasLasted = change === 'reminder' || change === 'resolved'
  return hasLasted ? `${LABELS[change]} after ${formatSeconds((atMs - sinceMs) / 1000)}` : LABELS[change]
}

/** What can be clicked; the path of a file cannot. */
export function isAddress({ url }: NoticeLink): boolean {
  return /^https?:\/\//.test(url)
}
