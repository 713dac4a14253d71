import type { Answer } from '@freshet/records/answer.ts'
import { Tally } from '../many/tally.ts'
import { manyReply } from '../reply.ts'
import { type Call, tookMs } from './call.ts'

/** The answers of one request, each written as soon as it is there: all at once would hold up the loop. */
export class ManyAnswers {
  readonly #texts: string[]
  readonly #tally: Tally

  constructor(asked: number) {
    this.#texts = new Array(asked)
    this.#tally = new Tally(asked)
  }

  put(at: number, answer: Answer): void {
    this.#tally.add(answer)
    this.#texts[at] = JSON.stringify(answer)
  }

  /** What stands in the place of an answer. */
  putOther(at: number, value: object): void {
    this.#texts[at] = JSON.stringify(value)
  }

  reply(call: Call): Response {
    call.answered = this.#tally
    const text = `{"answers":[${this.#texts.join(',')}],"degraded":${this.#tally.degraded > 0}}`
    return manyReply(text, this.#tally, tookMs(call))
  }
}
