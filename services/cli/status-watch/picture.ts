/** The state of a pipeline as lines: what the status page shows, for a terminal. Pure. */
import { duration, plural } from '@freshet/watchdog/page/public/words.js'
import type { PageState } from '@freshet/watchdog/page/view/page-state.ts'
import { alertLines } from './alert-lines.ts'
import { instanceLines, serverLine } from './instance-lines.ts'
import { type Line, styled } from './line.ts'
import { groupLine, shardLines } from './position-lines.ts'
import { mark, plain } from './signs.ts'
import { stageLines } from './stage-lines.ts'
import { answerLines, modelLines, snapshotLines } from './store-lines.ts'

/** In this many columns and more, everything stands in one line. */
const WIDE = 96
/** A terminal is shorter than a page. */
const MAX_INSTANCES = 12

export function picture(state: PageState, { columns }: { columns: number }): Line[] {
  const wide = columns >= WIDE
  return [
    ...heading(state),
    [],
    ...state.stages.flatMap((stage) => stageLines(stage, state, wide)),
    ...section(
      'Alerts',
      state.alerts.flatMap((alert) => alertLines(alert, state.atMs)),
      noAlerts(state),
    ),
    ...section('Shards', shardLines(state)),
    ...section(
      'Partitions',
      state.groups.map((group) => groupLine(group)),
    ),
    ...section('Stores', [...modelLines(state), ...snapshotLines(state), ...answerLines(state)]),
    ...section('Servers', state.servers.length === 0 ? [] : [serverLine(state)]),
    ...section('Instances', allInstances(state)),
  ]
}

function allInstances({ instances, atMs }: PageState): Line[] {
  const more = instances.length - MAX_INSTANCES
  return [
    ...instances.slice(0, MAX_INSTANCES).flatMap((instance) => instanceLines(instance, atMs)),
    ...(more > 0 ? [[styled('soft', `  and ${plural(more, 'more instance')}`)]] : []),
  ]
}

function section(title: string, lines: readonly Line[], otherwise: readonly Line[] = []): Line[] {
  const shown = lines.length > 0 ? lines : otherwise
  return shown.length === 0 ? [] : [[], [styled('soft', title)], ...shown]
}

function heading({ pipeline, atMs, verdict, freshness, orders, unseen }: PageState): Line[] {
  const { p50Seconds, p99Seconds } = freshness
  return [
    [
      styled('bold', `Freshet ${pipeline}`),
      styled('soft', `  ${new Date(atMs).toLocaleTimeString('en-GB')}`),
    ],
    [mark(verdict.level), ' ', styled('bold', verdict.headline)],
    ...(verdict.hint === null ? [] : [[styled('soft', `  ${plain(verdict.hint)}`)]]),
    ...(p50Seconds === null
      ? []
      : [
          [
            `  ${duration(p50Seconds)} from capture to the score in Redis`,
            ...(p99Seconds === null ? [] : [styled('soft', `, 99 % within ${duration(p99Seconds)}`)]),
          ],
        ]),
    ...(orders.maintenance === null
      ? []
      : [[styled('warning', `  maintenance until ${time(orders.maintenance.untilMs)}: nobody is told`)]]),
    ...unseen.map(({ what, error }): Line => [styled('warning', `  not seen just now: ${what} (${error})`)]),
  ]
}

function time(atMs: number): string {
  return new Date(atMs).toLocaleString('en-GB', { hour: '2-digit', minute: '2-digit' })
}

function noAlerts({ watchdog }: PageState): Line[] {
  return watchdog.watchdogs > 0 ? [] : [['  no watchdog runs, so nobody judges']]
}
