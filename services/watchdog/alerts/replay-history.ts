import type { AlertMessage } from '@freshet/records/alert-state.ts'
import type { Facts } from '@freshet/records/facts.ts'
import type { Judgement } from '../rules/judge.ts'
import { AlertBook } from './alert-book.ts'
import type { Timing } from './alerts.ts'

export interface ReplayOptions {
  readonly judge: (facts: Facts) => Judgement
  readonly timing: Timing
  readonly repeatMs: number
}

/** What people would have been told of a recorded history: nobody silenced anything, and every message arrived. */
export function* replayHistory(
  history: Iterable<Facts>,
  { judge, timing, repeatMs }: ReplayOptions,
): Generator<AlertMessage> {
  const book = new AlertBook(() => {}) // none waits, so none is given up
  for (const facts of history) {
    book.judge(judge(facts), timing, { nowMs: facts.atMs, repeatMs, silencedBy: () => null })
    for (let next = book.nextUntold(); next !== undefined; next = book.nextUntold()) {
      book.told(next)
      yield next
    }
  }
}
