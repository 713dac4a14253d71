/** The state of a pipeline as lines: what the status page shows, for a terminal. Pure. */
import {
  bytes,
  count,
  duration,
  measured,
  percent,
  plural,
  rate,
  STAGES,
} from '@freshet/watchdog/page/public/words.js'
import type {
  GroupState,
  InstanceState,
  Level,
  PageState,
  ShownAlert,
  StageState,
} from '@freshet/watchdog/page/view/page-state.ts'
import { sparkline } from '@freshet/watchdog/routes/formats/sparkline.ts'
import { type Line, type Part, type Style, styled } from './line.ts'

const STYLES: Readonly<Record<Level, Style>> = {
  well: 'good',
  warning: 'warning',
  critical: 'critical',
  unknown: 'soft',
}
const MARKS: Readonly<Record<Level, string>> = { well: '●', warning: '◆', critical: '■', unknown: '○' }
/** Of the history of a stage: one bar for five of its buckets. */
const BARS = 24
/** In this many columns and more, everything stands in one line. */
const WIDE = 96
/** A terminal is shorter than a page. */
const MAX_SHARDS = 8
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
    ...section(
      'Instances',
      state.instances.slice(0, MAX_INSTANCES).flatMap((instance) => instanceLines(instance, state.atMs)),
    ),
  ]
}

function section(title: string, lines: readonly Line[], otherwise: readonly Line[] = []): Line[] {
  const shown = lines.length > 0 ? lines : otherwise
  return shown.length === 0 ? [] : [[], [styled('soft', title)], ...shown]
}

function mark(level: Level): Part {
  return styled(STYLES[level], MARKS[level])
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

function stageLines(stage: StageState, { history }: PageState, wide: boolean): Line[] {
  const { name, level, instances, perSecond, behindSeconds, waiting, notes } = stage
  const { title, unit, waiting: things } = STAGES[name]
  const speed = perSecond === null ? '–' : rate(perSecond)
  const behind = behindSeconds.now === null ? '' : `${duration(behindSeconds.now)} behind`
  const held = waiting === null || waiting === 0 ? '' : `${count(waiting)} ${things} waiting`
  const first: Line = [
    mark(level),
    ' ',
    styled('bold', title.padEnd(9)),
    speed.padStart(8),
    styled('soft', ` ${`${unit}/s`.padEnd(10)}`),
    styled('accent', bars(behindSeconds.history).padEnd(BARS)),
    `  ${behind.padEnd(14)}`,
    ...(wide ? [styled('soft', held.padEnd(26)), styled('soft', `×${instances}`)] : []),
  ]
  const minutes = (history.bucketSeconds * history.buckets) / 60
  const more = [
    ...(wide || held === '' ? [] : [held]),
    ...(instances === 0 ? ['nobody does this'] : []),
    ...notes,
  ]
  const axis: Line[] =
    name === 'gateway' && wide
      ? [[' '.repeat(30), styled('soft', `${`${minutes} min ago`.padEnd(BARS - 3)}now`)]]
      : []
  return [first, ...more.map((note): Line => ['    ', styled('warning', note)]), ...axis]
}

/** The highest of each stretch, so that a peak is seen. */
function bars(history: readonly (number | null)[]): string {
  const size = Math.max(1, Math.ceil(history.length / BARS))
  const values = Array.from({ length: Math.ceil(history.length / size) }, (_, at) => {
    const known = history.slice(at * size, (at + 1) * size).filter((value) => value !== null)
    return known.length === 0 ? Number.NaN : Math.max(...known)
  })
  return sparkline({ values, threshold: 1 })
}

function noAlerts({ watchdog }: PageState): Line[] {
  return watchdog.watchdogs > 0 ? [] : [['  no watchdog runs, so nobody judges']]
}

function alertLines(alert: ShownAlert, atMs: number): Line[] {
  const { phase, severity, title, sinceMs, resolvedAtMs, measure, effect, firstLook, runbook } = alert
  const level = phase === 'firing' ? severity : phase === 'resolved' ? 'well' : 'unknown'
  const age = duration(((resolvedAtMs ?? atMs) - sinceMs) / 1_000)
  const first: Line = [
    ' ',
    mark(level),
    ' ',
    styled(STYLES[level], (phase === 'firing' ? severity : phase).padEnd(9)),
    ` ${title}`,
    styled('soft', `  ${phase === 'resolved' ? 'lasted' : 'for'} ${age}${heldText(alert)}`),
  ]
  if (phase !== 'firing') return [first]
  const indent = ' '.repeat(13)
  return [
    first,
    ...(measure === null
      ? []
      : [
          [
            indent,
            styled(STYLES[level], sparkline(measure)),
            styled('soft', ` alert above ${measured(measure.threshold, measure.unit)}`),
          ],
        ]),
    ...(effect === null ? [] : [[indent, plain(effect)]]),
    ...(firstLook === null ? [] : [[indent, styled('soft', `first look: ${plain(firstLook)}`)]]),
    [indent, styled('soft', runbook.url ?? runbook.file)],
  ]
}

function heldText({ heldBack, flapping }: ShownAlert): string {
  return `${flapping ? ', flapping' : ''}${heldBack === null ? '' : `, not told: ${heldBack}`}`
}

function plain(text: string): string {
  return text.replaceAll('`', '')
}

function shardLines({ capture }: PageState): Line[] {
  const { rows, more } = capture.shards
  const width = Math.max(
    0,
    ...rows.slice(0, MAX_SHARDS).map(({ index, shard }) => `${index}/${shard}`.length),
  )
  const others = more + Math.max(0, rows.length - MAX_SHARDS)
  return [
    ...rows.slice(0, MAX_SHARDS).map((row): Line => {
      const { index, shard, share, cursorSeqNo, checkpointSeqNo, behindOperations, behindSeconds } = row
      return [
        `  ${`${index}/${shard}`.padEnd(Math.min(width, 36))} `,
        styled('accent', gauge(share, 10)),
        ` ${cursorSeqNo === null ? 'no cursor' : whole(cursorSeqNo)}`,
        styled('soft', ` of ${whole(checkpointSeqNo)}`),
        behindOperations === 0 ? '' : `  ${count(behindOperations)} behind, ${duration(behindSeconds)}`,
      ]
    }),
    ...(others === 0 ? [] : [[styled('soft', `  and ${plural(others, 'more shard')}`)]]),
  ]
}

/** A position: one off is another one. */
function whole(seqNo: number): string {
  return seqNo.toLocaleString('en-US')
}

function gauge(share: number, width: number): string {
  const full = Math.round(Math.max(0, Math.min(1, share)) * width)
  return '█'.repeat(full) + '░'.repeat(width - full)
}

const HEAT = ['·', '▂', '▄', '▆', '█']

/** One sign a partition, by its heat. */
function groupLine({ groupId, topic, waiting, behindSeconds, members, partitions }: GroupState): Line {
  const cells = partitions.map(({ heat }) =>
    styled(heat > 3 ? 'critical' : heat > 2 ? 'warning' : 'accent', HEAT[heat]!),
  )
  const text = waiting === 0 ? 'all read' : `${count(waiting)} waiting, ${duration(behindSeconds)} behind`
  const who = members === null ? '' : `, ${plural(members, 'consumer')}`
  return [`  ${groupId.padEnd(20)} `, ...cells, `  ${text}`, styled('soft', ` on ${topic}${who}`)]
}

function modelLines({ model: { promoted, inUse, rescore }, atMs }: PageState): Line[] {
  const users = inUse.filter(({ model }) => model !== promoted?.model)
  return [
    ...(promoted === null
      ? []
      : [
          [
            `  model    ${promoted.model}`,
            styled(
              'soft',
              `, promotion ${promoted.promotion}, ${duration((atMs - promoted.promotedAtMs) / 1_000)} ago`,
            ),
          ],
        ]),
    ...users.map(({ model, instances }): Line => [`           ${model} in use by ${instances.join(', ')}`]),
    ...(rescore === null
      ? []
      : [
          [
            '           ',
            styled('accent', gauge(rescore.share, 20)),
            ` ${percent(rescore.share)} scored again`,
            styled(
              'soft',
              rescore.leftSeconds === null
                ? ', it does not move'
                : `, ${rate(rescore.perSecond)} rows/s, done in about ${duration(rescore.leftSeconds)}`,
            ),
          ],
        ]),
  ]
}

function snapshotLines({ snapshot: { manifest, held }, atMs }: PageState): Line[] {
  if (manifest === null) return []
  const late = held.filter(({ behindCommits }) => behindCommits > 0)
  return [
    [
      `  snapshot commit ${count(manifest.commit)}, ${count(manifest.rows)} rows, ${bytes(manifest.bytes)}`,
      styled('soft', `, written ${duration((atMs - manifest.writtenAtMs) / 1_000)} ago`),
      styled('soft', held.length === 0 ? '' : `, held by ${plural(held.length, 'gateway')}`),
      ...late.map(({ instance, behindCommits }) =>
        styled('warning', `, ${instance} ${behindCommits} commits behind`),
      ),
    ],
  ]
}

function answerLines({ gateway }: PageState): Line[] {
  const told = gateway.sources.filter(({ answers }) => answers > 0)
  if (told.length === 0) return []
  const { degradedAnswers, lateAnswers, refusedRequests } = gateway
  const bad = Object.entries({
    degraded: degradedAnswers,
    late: lateAnswers,
    refused: refusedRequests,
  }).filter(([, amount]) => amount > 0)
  return [
    [
      `  answers  ${told.map(({ source, share }) => `${source} ${percent(share)}`).join('  ')}`,
      ...bad.map(([what, amount]) => styled('warning', `  ${count(amount)} ${what} in 5 min`)),
    ],
  ]
}

function serverLine({ servers }: PageState): Line {
  return servers.flatMap(({ name, level }): Part[] => ['  ', mark(level), ` ${name}`])
}

function instanceLines(
  { instance, status, level, startedAtMs, silentSeconds, errors }: InstanceState,
  atMs: number,
): Line[] {
  return [
    [
      '  ',
      mark(level),
      ` ${instance.padEnd(26)} ${status.padEnd(9)}`,
      styled('soft', `up ${duration((atMs - startedAtMs) / 1_000)}, heard ${duration(silentSeconds)} ago`),
    ],
    ...errors.map(
      ({ worker, error }): Line => [
        '      ',
        styled(level === 'critical' ? 'critical' : 'soft', worker === null ? error : `${worker}: ${error}`),
      ],
    ),
  ]
}
