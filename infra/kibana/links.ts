/** Addresses in Kibana that open on a stretch of time: for alerts and the status page. */
import type { Settings } from '@freshet/config/schema.ts'
import { DASHBOARD_ID, SESSION_IDS, type SessionName } from './object-ids.ts'
import { risonInAddress } from './rison.ts'

/** Times are absolute, so that a link in an old message still shows what it spoke of. */
interface Stretch {
  readonly fromMs: number
  /** `now`: it moves on with whoever looks. */
  readonly toMs: number | 'now'
}

/** Where people find Kibana; undefined: there is none, so there are no links. No password ever stands in it. */
export function kibanaForPeople({ kibana }: Pick<Settings, 'kibana'>): string | undefined {
  const address = kibana.publicUrl ?? kibana.url
  if (address === undefined) return undefined
  const url = new URL(address)
  url.username = url.password = ''
  return url.href.replace(/\/+$/, '')
}

/** @param kibana as `kibanaForPeople` gives it. */
export function dashboardLink(kibana: string, stretch: Stretch): string {
  return link(`${kibana}/app/dashboards#/view/${DASHBOARD_ID}`, stretch)
}

/** One of the saved Discover sessions, with its own query. */
export function sessionLink(kibana: string, session: SessionName, stretch: Stretch): string {
  return link(`${kibana}/app/discover#/view/${SESSION_IDS[session]}`, stretch)
}

function link(page: string, { fromMs, toMs }: Stretch): string {
  const time = { from: at(fromMs), to: toMs === 'now' ? toMs : at(toMs) }
  return `${page}?_g=${risonInAddress({ time })}`
}

function at(ms: number): string {
  return new Date(ms).toISOString()
}
