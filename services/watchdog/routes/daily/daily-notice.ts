/** Once a day: that all is well, or what is not, with the figures of the day. Pure. */
import { dashboardLink } from '@freshet/kibana/links.ts'
import type { Alert } from '@freshet/records/alert-state.ts'
import { ANSWER_SOURCES } from '@freshet/records/answer.ts'
import type { Order } from '@freshet/records/control.ts'
import { listed } from '@freshet/stage/listed.ts'
import { countOf, formatCount, formatSeconds } from '../../format.ts'
import type { NoticeContext } from '../alert-to-notice.ts'
import { worstTone } from '../formats/words.ts'
import type { Notice, NoticeLink } from '../notice.ts'
import { orderRemarks } from '../order-remarks.ts'
import type { DayFigures } from './day-figures.ts'

export interface Day {
  /** As `2026-11-30`. */
  readonly day: string
  readonly figures: DayFigures
  readonly alerts: readonly Alert[]
  readonly orders: readonly Order[]
  /** Why the pipeline cannot be seen; null while it can. */
  readonly blindness: string | null
  readonly messages: { readonly told: number; readonly givenUp: number }
}

export function dailyNotice(daily: Day, context: NoticeContext): Notice {
  const { day, figures, alerts, orders, blindness } = daily
  const firing = alerts.filter(({ phase }) => phase === 'firing')
  const tones = firing.map(({ finding }) => finding.severity)
  const { atMs, lasted } = {
    atMs: figures.toMs,
    lasted: formatSeconds((figures.toMs - figures.fromMs) / 1000),
  }
  return {
    id: `${context.pipeline}/daily/${day}`,
    kind: 'daily',
    pipeline: context.pipeline,
    headline: headlineOf(blindness, firing, figures.counts['freshet.scorer.scored'], lasted),
    tone: blindness === null ? worstTone([...tones, 'good']) : 'critical',
    atMs,
    items: [],
    more: 0,
    figures: figuresOf(daily, firing, lasted),
    remarks: orderRemarks(orders),
    links: linksOf(figures, context),
  }
}

function headlineOf(
  blindness: string | null,
  firing: readonly Alert[],
  scored: number,
  lasted: string,
): string {
  if (blindness !== null) return `The pipeline cannot be seen: ${blindness}`
  if (firing.length === 0) return `All is well: ${countOf(scored, 'document')} scored in ${lasted}`
  const titles = listed(
    firing.map(({ finding }) => finding.title),
    2,
  )
  return `${countOf(firing.length, 'alert')} firing: ${titles}`
}

function figuresOf(
  { figures, messages }: Day,
  firing: readonly Alert[],
  lasted: string,
): Readonly<Record<string, string>> {
  const { counts, freshness, worstFreshness, worstLag } = figures
  const answers = ANSWER_SOURCES.map(
    (source) => `${source} ${formatCount(counts[`freshet.answers.${source}`])}`,
  )
  const late = counts['freshet.answers.late']
  return {
    'Documents scored': `${formatCount(counts['freshet.scorer.scored'])} in ${lasted}, of ${countOf(counts['freshet.poller.changes'], 'change')}`,
    Freshness: [
      freshness === null
        ? 'nothing new in the last minute'
        : `p50 ${short(freshness.p50Seconds)}, p99 ${short(freshness.p99Seconds)} now`,
      ...(worstFreshness === null
        ? []
        : [`worst p99 ${short(worstFreshness.seconds)} at ${timeOf(worstFreshness.atMs)}`]),
    ].join('; '),
    'Answers by source': `${answers.join(', ')}${late > 0 ? `; ${formatCount(late)} late` : ''}`,
    'Longest lag':
      worstLag === null
        ? 'none'
        : `${short(worstLag.seconds)} at ${timeOf(worstLag.atMs)} (${worstLag.groupId})`,
    'Dead letters': formatCount(counts['freshet.scorer.dead'] + counts['freshet.poller.dead']),
    Alerts: [
      firing.length === 0 ? 'none firing' : `${firing.length} firing`,
      `${countOf(messages.told, 'message')} told`,
      ...(messages.givenUp > 0 ? [`${messages.givenUp} given up`] : []),
    ].join(', '),
  }
}

function linksOf({ fromMs, toMs }: DayFigures, { kibana }: NoticeContext): NoticeLink[] {
  return kibana === undefined ? [] : [{ label: 'Kibana', url: dashboardLink(kibana, { fromMs, toMs }) }]
}

/** `0.42 s` where a second is a long time. */
function short(seconds: number): string {
  return seconds < 10 ? `${Number(seconds.toFixed(2))} s` : formatSeconds(seconds)
}

function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(11, 16)} UTC`
}
