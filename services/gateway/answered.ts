import type { Answer } from '@freshet/records/answer.ts'
import type { AnswerTally } from './many/tally.ts'

/** What a request was answered with: one answer, or many summed up. */
export type Answered = Answer | AnswerTally

export function isTally(answered: Answered): answered is AnswerTally {
  return 'bySource' in answered
}
