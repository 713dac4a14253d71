/**
 * What people are told at once, whatever it is shown in. All text is plain: each format escapes it and cuts it to what
 * the other side takes.
 */
import type { AlertMessage, FindingKind, Severity } from '@freshet/records/alert-state.ts'

export interface Notice {
  /** The same over retries, routes and restarts, so that whoever gets it twice can tell. */
  readonly id: string
  readonly kind: 'alerts' | 'daily'
  readonly pipeline: string
  /** One line: what a notification shows. */
  readonly headline: string
  readonly tone: Tone
  readonly atMs: number
  readonly items: readonly NoticeItem[]
  /** How many more alerts it is about. */
  readonly more: number
  /** Figures that belong to no item, by what they are called. */
  readonly figures: Readonly<Record<string, string>>
  /** One sentence each: what is silenced, what went another way. */
  readonly remarks: readonly string[]
  readonly links: readonly NoticeLink[]
}

/** How it looks from afar. */
export type Tone = 'critical' | 'warning' | 'good' | 'plain'

/** One alert of a notice. */
export interface NoticeItem {
  readonly id: string
  readonly kind: FindingKind
  readonly change: AlertMessage['change']
  readonly severity: Severity
  /** One sentence without a full stop, e.g. `air-infer is 5 min behind`. */
  readonly title: string
  readonly sinceMs: number
  readonly atMs: number
  /** Figures, by what they are called. */
  readonly details: Readonly<Record<string, string>>
  /** Undefined for what has no measure. */
  readonly trend: Trend | undefined
  /** What it means for callers. Undefined when it is over. */
  readonly effect: string | undefined
  readonly firstLook: string | undefined
  readonly remarks: readonly string[]
  readonly links: readonly NoticeLink[]
}

export interface Trend {
  /** Oldest first; the last one is now. At least one. */
  readonly values: readonly number[]
  readonly unit: string
  readonly threshold: number
}

export interface NoticeLink {
  readonly label: string
  /** An address, or the path of a file in the repository. */
  readonly url: string
}
