import { FreshetError } from '@freshet/errors/errors.ts'
import type { Outcome } from '../ladder/stored-score-to-answer.ts'
import { answerReply, type Reply } from '../reply.ts'
import { type Call, tookMs } from './call.ts'

/** The reply of one answer, of a lookup or of a prediction. @throws KEY_UNKNOWN */
export function outcomeReply(call: Call, key: string | null, outcome: Outcome): Reply {
  if (outcome.kind === 'absent') {
    call.gives(key, undefined)
    throw new FreshetError('KEY_UNKNOWN', `the key is ${outcome.why}`)
  }
  call.answered = outcome.answer
  call.fellBackAtMs = outcome.fellBackAtMs
  call.gives(key, outcome.answer, outcome.rank)
  return answerReply(outcome.answer, tookMs(call))
}
