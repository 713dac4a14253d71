/** Where people read more of an alert: one answer for messages and for the page. Pure. */
import type { Settings } from '@freshet/config/schema.ts'
import { dashboardLink, kibanaForPeople, sessionLink } from '@freshet/kibana/links.ts'
import type { SessionName } from '@freshet/kibana/object-ids.ts'
import type { FindingKind } from '@freshet/records/alert-state.ts'

export interface Reading {
  /** As `kibanaForPeople` gives it. */
  readonly kibana: string | undefined
  /** Where runbooks stand, as an address; undefined: in the repository. */
  readonly runbookUrl: string | undefined
}

export function readingOf(settings: Pick<Settings, 'kibana' | 'watchdog'>): Reading {
  return { kibana: kibanaForPeople(settings), runbookUrl: settings.watchdog.runbookUrl }
}

/** A link begins so long before a trouble did: what led to it is part of the picture. */
const BEFORE_MS = 15 * 60_000
const AFTER_MS = 5 * 60_000

/** Where the requests, documents or lines of a trouble are listed; of all others the dashboard shows the most. */
const SESSIONS: Readonly<Partial<Record<FindingKind, SessionName>>> = {
  'fallback-ratio': 'fallbacks',
  'deadline-misses': 'slowRequests',
  'requests-refused': 'slowRequests',
  'dead-letters': 'failedDocuments',
  failing: 'troubles',
  silent: 'troubles',
  unreachable: 'troubles',
  'model-refused': 'troubles',
}

/** @param trouble.overMs null: it lasts. @returns undefined where there is no Kibana */
export function kibanaLinkOf(
  trouble: { readonly kind: FindingKind; readonly sinceMs: number; readonly overMs: number | null },
  { kibana }: Pick<Reading, 'kibana'>,
): string | undefined {
  if (kibana === undefined) return undefined
  const { kind, sinceMs, overMs } = trouble
  const stretch = { fromMs: sinceMs - BEFORE_MS, toMs: overMs === null ? 'now' : overMs + AFTER_MS } as const
  const session = SESSIONS[kind]
  return session === undefined ? dashboardLink(kibana, stretch) : sessionLink(kibana, session, stretch)
}

/** @returns its file in the repository, and where people read it, if that is set */
export function runbookOf(
  kind: FindingKind,
  { runbookUrl }: Pick<Reading, 'runbookUrl'>,
): { readonly file: string; readonly url: string | null } {
  const url = runbookUrl === undefined ? null : `${runbookUrl.replace(/\/+$/, '')}/${kind}.md`
  return { file: `docs/runbooks/${kind}.md`, url }
}
