import {
  type Finding,
  isComplete,
  type Tally,
  totalOf,
  type VerifyReport,
} from '@freshet/reconcile/verify-report.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { topicName } from '@freshet/records/topics.ts'
import { formatCount } from '@freshet/watchdog/format.ts'
import { harmlessLines, table } from '../text.ts'

/** A verification as people read it: a line a shard, the sum, what is wrong, what to do next. */
export function describeReport(report: VerifyReport): string {
  const total = totalOf(report)
  return harmlessLines([
    ...shardTable(report),
    ...notes(report),
    ...findingLines(report.findings, total),
    summarize(report),
    ...nextSteps(report, total),
  ])
}

interface Column {
  readonly title: string
  readonly of: keyof Tally
  /** Shown only where there is something to show. */
  readonly onlyNonZero: boolean
}

const COLUMNS: readonly Column[] = [
  { title: 'live', of: 'live', onlyNonZero: false },
  { title: 'scored', of: 'scored', onlyNonZero: false },
  { title: 'older model', of: 'olderModel', onlyNonZero: true },
  { title: 'newer model', of: 'newerModel', onlyNonZero: true },
  { title: 'set aside', of: 'setAside', onlyNonZero: true },
  { title: 'without key', of: 'withoutKey', onlyNonZero: true },
  { title: 'pending', of: 'pending', onlyNonZero: true },
  { title: 'missing', of: 'missing', onlyNonZero: false },
  { title: 'stale', of: 'stale', onlyNonZero: false },
  { title: 'extra', of: 'extra', onlyNonZero: false },
]

function shardTable({ shards }: VerifyReport): string[] {
  const columns = COLUMNS.filter(
    ({ of, onlyNonZero }) => !onlyNonZero || shards.some((shard) => shard[of] > 0),
  )
  const rows = [
    ['', ...columns.map(({ title }) => title)],
    ...shards.map((shard) => [
      `${shard.index}/${shard.shard}`,
      ...columns.map(({ of }) => formatCount(shard[of])),
    ]),
  ]
  return table(rows)
}

function notes({ unreadable, closed, gone, extraOfTheDead }: VerifyReport): string[] {
  return [
    ...unreadable.map((name) => `  ${name} could not be read, so nothing is proved of it`),
    ...closed.map((name) => `  ${name} is closed: it waits, its scores stay`),
    ...gone.map((name) => `  ${name} is gone: its scores are deleted after elasticsearch.goneGraceSeconds`),
    ...(extraOfTheDead > 0
      ? [`  ${formatCount(extraOfTheDead)} extra, of indices or incarnations that are no more`]
      : []),
  ]
}

const KINDS: Readonly<Record<Finding['kind'], string>> = {
  missing: 'missing',
  stale: 'stale',
  extra: 'extra',
  setAside: 'set aside',
  withoutKey: 'without key',
}

function findingLines(findings: readonly Finding[], total: Tally): string[] {
  return (Object.keys(KINDS) as Finding['kind'][]).flatMap((kind) => {
    const listed = findings.filter((finding) => finding.kind === kind)
    const more = total[kind] - listed.length
    return [
      ...listed.map(
        ({ key, reason }) => `  ${KINDS[kind]}  ${key}${reason === undefined ? '' : `  ${reason}`}`,
      ),
      ...(more > 0 && listed.length > 0
        ? [`  ${KINDS[kind]}  and ${formatCount(more)} more (--limit, --json)`]
        : []),
    ]
  })
}

/** In a line. */
export function summarize(report: VerifyReport): string {
  const { model } = report
  const total = totalOf(report)
  const by = model === null ? 'no model is promoted' : `by ${modelLabel(model)}`
  const parts = [
    `${formatCount(total.live)} live`,
    `${formatCount(total.scored)} scored at their current revision ${by}`,
    ...(total.olderModel > 0 ? [`${formatCount(total.olderModel)} by an older model`] : []),
    ...(total.newerModel > 0
      ? [`${formatCount(total.newerModel)} by a newer generation than the promoted one`]
      : []),
    ...(total.setAside > 0 ? [`${formatCount(total.setAside)} set aside`] : []),
    ...(total.withoutKey > 0 ? [`${formatCount(total.withoutKey)} without key`] : []),
    ...(total.pending > 0 ? [`${formatCount(total.pending)} pending`] : []),
    ...(total.missing > 0 ? [`${formatCount(total.missing)} missing`] : []),
    ...(total.stale > 0 ? [`${formatCount(total.stale)} stale`] : []),
    ...(total.extra > 0 ? [`${formatCount(total.extra)} extra`] : []),
  ]
  const isAnyAside = total.setAside + total.withoutKey > 0
  const aside = isAnyAside
    ? `; what is set aside or without key does not fail the proof: see ${topicName(report.pipeline, 'dead')}`
    : ''
  return `${isComplete(report) ? 'complete' : 'NOT complete'}: ${parts.join(', ')}${aside}`
}

function nextSteps(report: VerifyReport, { pending, missing, stale, extra, newerModel }: Tally): string[] {
  const { isSettled, repair, beyondRepair } = report
  const isWrong = missing + stale + extra > 0
  const isMendable = missing + stale + extra > beyondRepair
  return [
    ...(repair === null
      ? []
      : [
          `repair: ${formatCount(repair.emitted)} documents and ${formatCount(repair.tombstones)} deletes emitted`,
        ]),
    ...(newerModel > 0 ? [outrank(report)] : []),
    ...(pending > 0 ? ['next: the poller has not come to all documents; see `freshet status`'] : []),
    ...(isWrong && !isSettled
      ? [
          'next: the snapshot does not hold all that was emitted yet: see `freshet status`, or give it more --wait',
        ]
      : []),
    ...(isMendable && isSettled && repair === null
      ? ['next: `freshet verify --repair` emits what is wrong again']
      : []),
    ...(beyondRepair > 0
      ? [
          `next: emitting again does not mend ${formatCount(beyondRepair)} of these; what does stands beside each`,
        ]
      : []),
  ]
}

/** The pointer was lost, or an old one was put back: what it promotes has no effect until it outranks what is stored. */
function outrank({ model, newestGeneration }: VerifyReport): string {
  const stored = `next: there are scores of generation ${newestGeneration}, but`
  const again = `\`freshet model promote --again --above ${newestGeneration}\` scores all anew, above them`
  return model === null
    ? `${stored} no model is promoted: \`freshet model promote <name> <version>\`; if its generation is not higher, ${again}`
    : `${stored} the promoted model has ${model.generation}: ${again}`
}
