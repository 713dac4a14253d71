/** What every format says in the same words. */
import { formatSeconds } from '../../rules/format.ts'
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

/** @param more how many alerts there are beside the items */
export function noticeHeadline(items: readonly NoticeItem[], more: number): string {
  const [first] = items
  if (first === undefined) return 'nothing to tell'
  const others = items.length - 1 + more
  return others === 0 ? itemHeadline(first) : `${itemHeadline(first)}, and ${others} more`
}

function labelOf({ change, sinceMs, atMs }: Pick<NoticeItem, 'change' | 'sinceMs' | 'atMs'>): string {
  const lasted = formatSeconds((atMs - sinceMs) / 1000)
  switch (change) {
    case 'firing':
      return 'FIRING'
    case 'reminder':
      return `STILL FIRING after ${lasted}`
    case 'flapping':
      return 'FLAPPING'
    case 'resolved':
      return `RESOLVED after ${lasted}`
  }
}

/** What can be clicked; the path of a file cannot. */
export function isAddress({ url }: NoticeLink): boolean {
  return /^https?:\/\//.test(url)
}
