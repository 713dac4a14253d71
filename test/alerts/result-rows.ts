/** What people were told of a fault, as a row of a table of Markdown. */
import type { FaultResult, RoundResult } from './run-faults.ts'
import type { Told } from './told.ts'

export const HEADER = [
  '| what breaks | rule | what people read | due | told | over |',
  '| --- | --- | --- | --- | --- | --- |',
]

function rowOf({ fault, alert, dueSeconds, toldSeconds, resolvedSeconds, timesTold }: FaultResult): string {
  const isOnce = timesTold === (fault.lingersSeconds === undefined ? 2 : 1)
  const often = isOnce ? '' : ` (${timesTold} messages)`
  const over =
    fault.lingersSeconds === undefined ? inSeconds(resolvedSeconds) : `after ${fault.lingersSeconds} s`
  return `| ${fault.title} | ${fault.rule} | ${alert?.title ?? 'nothing'}${often} | ${inSeconds(dueSeconds)} | ${inSeconds(toldSeconds)} | ${over} |`
}

/** Its faults, and what else was told. */
export function rowsOf({ results, unexpected }: RoundResult): string[] {
  return [...results.map(rowOf), `  (told besides: ${namesOf(unexpected)})`]
}

export function namesOf(told: readonly Told[]): string {
  return told.length === 0 ? 'nothing' : told.map(({ change, title }) => `${change}: ${title}`).join('; ')
}

function inSeconds(value: number | undefined): string {
  return value === undefined ? 'never' : `${value.toFixed(1)} s`
}
