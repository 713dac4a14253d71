/** The one sentence at the top of the page. */
import type { Alert } from '@freshet/records/alert-state.ts'
import type { Facts } from '@freshet/records/facts.ts'
import { gravest } from './alert-states.ts'
import type { ListedInstance } from './listed-instances.ts'
import type { Verdict } from './page-state.ts'

export function verdictOf(
  facts: Facts | null,
  listed: readonly ListedInstance[],
  alerts: readonly Alert[],
  isJudged: boolean,
): Verdict {
  if (facts === null) return { level: 'unknown', headline: 'The first look is under way', hint: null }
  const firing = alerts.filter(({ phase }) => phase === 'firing')
  if (firing.length > 0) return { level: gravest(alerts), headline: headlineOf(firing), hint: null }
  if (facts.kafka.fault !== null) return { level: 'unknown', headline: 'Kafka cannot be read', hint: null }
  if (listed.every(({ service }) => service === 'watchdog'))
    return { level: 'unknown', headline: 'Nothing runs yet', hint: '`freshet run all` starts everything.' }
  if (!isJudged) return { level: 'unknown', headline: 'Nobody judges', hint: NOBODY_JUDGES }
  const pending = alerts.filter(({ phase }) => phase === 'pending').length
  const hint = pending === 0 ? null : 'Something is not as it should be, and becomes an alert if it stays.'
  return { level: 'well', headline: 'All is well', hint }
}

const NOBODY_JUDGES =
  'No watchdog speaks for the pipeline, so nothing becomes an alert. One that has just started soon does; `freshet run watchdog` starts one.'

function headlineOf(firing: readonly Alert[]): string {
  const [first] = firing
  if (firing.length === 1) return capital(first!.finding.title)
  const critical = firing.filter(({ finding }) => finding.severity === 'critical').length
  if (critical === 0) return `${firing.length} warnings`
  return critical === firing.length
    ? `${critical} critical alerts`
    : `${firing.length} alerts, ${critical} of them critical`
}

function capital(sentence: string): string {
  // an instance's or a group's own name stays as it is
  return /^[a-z]+ /.test(sentence) ? sentence.charAt(0).toUpperCase() + sentence.slice(1) : sentence
}
