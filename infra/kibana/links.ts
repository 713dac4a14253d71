/** Addresses in Kibana that open on a stretch of time and a query: for alerts and the status page. */
import type { Settings } from '@freshet/config/schema.ts'
import {
  DASHBOARD_ID,
  DATA_VIEW_IDS,
  type DataViewName,
  SESSION_IDS,
  type SessionName,
} from './object-ids.ts'
import { type RisonValue, risonInAddress } from './rison.ts'

/** Times are absolute, so that a link in an old message still shows what it spoke of. */
interface Stretch {
  readonly fromMs: number
  /** `now`: it moves on with whoever looks. */
  readonly toMs: number | 'now'
}

export interface Look extends Stretch {
  /** KQL, such as `freshet.stage : "infer"`; see `kqlIs`. All, when there is none. */
  readonly query?: string
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
export function dashboardLink(kibana: string, look: Look): string {
  return link(`${kibana}/app/dashboards#/view/${DASHBOARD_ID}`, look, {})
}

/** One of the saved Discover sessions; a query stands in place of its own. */
export function sessionLink(kibana: string, session: SessionName, look: Look): string {
  return link(`${kibana}/app/discover#/view/${SESSION_IDS[session]}`, look, {})
}

/** Traces or logs in Discover, newest first. */
export function discoverLink(kibana: string, dataView: DataViewName, look: Look): string {
  return link(`${kibana}/app/discover#/`, look, {
    dataSource: { type: 'dataView', dataViewId: DATA_VIEW_IDS[dataView] },
    sort: [['@timestamp', 'desc']],
  })
}

/** KQL for: the field has exactly this value. */
export function kqlIs(field: string, value: string | number | boolean): string {
  if (typeof value !== 'string') return `${field} : ${value}`
  return `${field} : "${value.replaceAll(/["\\]/g, '\\$&').replaceAll(/\s+/g, ' ')}"`
}

function link(
  page: string,
  { fromMs, toMs, query }: Look,
  state: { readonly [name: string]: RisonValue },
): string {
  const time = { from: at(fromMs), to: toMs === 'now' ? toMs : at(toMs) }
  const own = query === undefined ? state : { ...state, query: { language: 'kuery', query } }
  const parameters = [`_g=${risonInAddress({ time })}`]
  if (Object.keys(own).length > 0) parameters.push(`_a=${risonInAddress(own)}`)
  return `${page}?${parameters.join('&')}`
}

function at(ms: number): string {
  return new Date(ms).toISOString()
}
