/** What should make the author of a model think, before it is pushed. */
import type { Column } from '@freshet/model/bundle/spec.ts'
import { percent } from '../text.ts'
import { type ColumnReport, share } from './column-sample.ts'
import type { LiveReport, OutputReport, SetAside } from './report-shape.ts'

const MAX_SET_ASIDE = 0.01
const MAX_UNKNOWN = 0.1
const MAX_OUTSIDE = 0.05
/** Beyond what the training missed. Where that is not known, a default was given for some reason. */
const MAX_MORE_MISSING = 0.1
/** Above this two distributions are not alike, as is said of the index everywhere. */
const MAX_STABILITY = 0.25
/** Fewer may well be the same by chance. */
const MIN_FOR_CONSTANT = 20

/** In sentences. */
export function concernsOf(
  { documents, scored, setAside, columns: reports, outputs }: Omit<LiveReport, 'concerns'>,
  columns: readonly Column[],
): string[] {
  if (documents === 0)
    return ['there is no document in scope: see elasticsearch.index and elasticsearch.filter']
  const isAside = share(documents - scored, documents) > MAX_SET_ASIDE
  return [
    ...(isAside ? setAside.map((aside) => asideConcern(aside, documents)) : []),
    ...reports.flatMap((report, index) => [
      ...missingConcern(report, columns[index]!.training?.missing),
      ...valueConcerns(report),
    ]),
    ...outputs.flatMap(stabilityConcern),
    ...(scored >= MIN_FOR_CONSTANT ? outputs.flatMap(constantConcern) : []),
  ]
}

function asideConcern({ code, at, count }: SetAside, documents: number): string {
  return `${percent(share(count, documents))} of the documents cannot be scored: ${code}${at === null ? '' : ` at ${at}`}`
}

function missingConcern({ name, path, present }: ColumnReport, inTraining: number | undefined): string[] {
  if (present === 0) return [`column ${name}: no document has ${path}`]
  const missing = 1 - present
  if (inTraining === undefined || missing <= inTraining + MAX_MORE_MISSING) return []
  return [
    `column ${name}: ${percent(missing)} of the documents do not have ${path}; in the training ${percent(inTraining)} did not`,
  ]
}

function valueConcerns({ name, path, unknown, unknownTexts, outside }: ColumnReport): string[] {
  const texts = unknownTexts.map((text) => JSON.stringify(text)).join(', ')
  return [
    ...(unknown !== null && unknown > MAX_UNKNOWN
      ? [`column ${name}: ${percent(unknown)} of ${path} are of no category, such as ${texts}`]
      : []),
    ...(outside !== null && outside > MAX_OUTSIDE
      ? [`column ${name}: ${percent(outside)} of ${path} are outside of what the training had`]
      : []),
  ]
}

function stabilityConcern({ name, stability }: OutputReport): string[] {
  if (stability === null || stability <= MAX_STABILITY) return []
  return [
    `${name}: scores lie elsewhere than those of the golden rows (stability index ${stability.toFixed(2)}), which the drift metrics compare with`,
  ]
}

function constantConcern({ name, scores }: OutputReport): string[] {
  if (scores === null || scores.min !== scores.max) return []
  return [`${name} is ${scores.min} for every document`]
}
