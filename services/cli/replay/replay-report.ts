import { formatCount } from '@freshet/watchdog/format.ts'
import { harmlessLines, table } from '../text.ts'

/** What a replay has done, or would do. */
export interface ReplayReport {
  readonly pipeline: string
  readonly isDryRun: boolean
  /** Every letter that was looked at. */
  readonly letters: readonly ReplayedLetter[]
  /** Letters for which there was no room: replay again. */
  readonly leftOut: number
  /** Messages of `.dead` that are no letters. */
  readonly unreadable: number
}

export interface ReplayedLetter {
  readonly code: string
  /** Of the document, or the place of a message that has no document: `topic[partition]@offset`. */
  readonly key: string
  readonly reason: string
  readonly fate: Fate
  /** Why it stays, where that is another reason than it died of. */
  readonly now?: string
}

const FATES = {
  replayed: 'goes the way of a change again',
  superseded: 'a newer version was captured, it has a score by now, or it is gone: nothing is to be done',
  judged: 'the current generation of the model has scored it in vain',
  dead: 'cannot be used as it stands',
  waiting: 'its shard cannot be read, or is not captured as far as that',
} as const

export type Fate = keyof typeof FATES

/** Nothing remains dead, and nothing waits. */
export function isClean({ letters, leftOut }: ReplayReport): boolean {
  return leftOut === 0 && letters.every(({ fate }) => fate === 'replayed' || fate === 'superseded')
}

/** As people read it. @param limit letters named of those that stay; all in a dry run are listed up to it */
export function describeReplay(report: ReplayReport, limit: number): string {
  const { letters, leftOut, unreadable, isDryRun } = report
  if (letters.length === 0 && leftOut === 0) return 'no dead letters\n'
  const listed = isDryRun
    ? letters
    : letters.filter(({ fate }) => fate !== 'replayed' && fate !== 'superseded')
  const lines = [
    ...codeTable(letters),
    ...listed.slice(0, limit).map(describeLetter),
    ...(listed.length > limit ? [`  and ${formatCount(listed.length - limit)} more (--limit, --json)`] : []),
    ...(leftOut > 0 ? [`  ${formatCount(leftOut)} letters had no room: replay again`] : []),
    ...(unreadable > 0 ? [`  ${formatCount(unreadable)} messages of the topic are no letters`] : []),
    ...nextSteps(report),
  ]
  return harmlessLines(lines)
}

function codeTable(letters: readonly ReplayedLetter[]): string[] {
  const byCode = [...Map.groupBy(letters, ({ code }) => code)].toSorted(([, a], [, b]) => b.length - a.length)
  const fates = (Object.keys(FATES) as Fate[]).filter((fate) =>
    letters.some((letter) => letter.fate === fate),
  )
  const rows = [
    ['', 'letters', ...fates],
    ...byCode.map(([code, ofCode]) => [
      code,
      formatCount(ofCode.length),
      ...fates.map((fate) => formatCount(ofCode.filter((letter) => letter.fate === fate).length)),
    ]),
  ]
  return table(rows)
}

function describeLetter({ fate, key, code, reason, now }: ReplayedLetter): string {
  return `  ${fate}  ${key}  ${code}: ${reason}${now === undefined ? '' : `; now: ${now}`}`
}

function nextSteps({ letters, isDryRun }: ReplayReport): string[] {
  const has = (fate: Fate) => letters.some((letter) => letter.fate === fate)
  return [
    ...(has('replayed') && isDryRun ? ['next: without --dry-run they are replayed'] : []),
    ...(has('judged')
      ? [
          'next: mend the documents, which replays them by itself; or promote a model that can score them; or, when only the',
          '      service was mended, `freshet model promote --again`, which scores everything anew',
        ]
      : []),
    ...(has('dead')
      ? ['next: mend what stands beside the letters that are dead; `freshet settings` has the limits']
      : []),
    ...(has('waiting') ? ['next: replay again when the poller has caught up; see `freshet status`'] : []),
  ]
}
