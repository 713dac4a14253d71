import type { Answer } from '@freshet/records/answer.ts'
import type { Rank } from '@freshet/records/revision.ts'
import { Tally } from '../many/tally.ts'
import { manyReply, type Reply } from '../reply.ts'
import { type Call, tookMs } from './call.ts'

/** The answers of one request, each written as soon as it is there: all at once would hold up the loop. */
export class ManyAnswers {
  readonly #call: Call
  readonly #texts: string[]
  readonly #tally: Tally

  constructor(call: Call, asked: number) {
    this.#call = call
    this.#texts = new Array(asked)
    this.#tally = new Tally(asked)
  }

  /** @param rank of the stored score that it is made of. */
  put(at: number, answer: Answer, rank?: Rank): void {
    this.#tally.add(answer)
    this.#call.gives(answer.key, answer, rank)
    this.#texts[at] = JSON.stringify(answer)
  }

  /** What stands in the place of an answer. */
  putOther(at: number, value: { readonly key: string | null; readonly [more: string]: unknown }): void {
    this.#call.gives(value.key, undefined)
    this.#texts[at] = JSON.stringify(value)
  }

  reply(): Reply {
    this.#call.answered = this.#tally
    const text = `{"answers":[${this.#texts.join(',')}],"degraded":${this.#tally.degraded > 0}}`
    return manyReply(text, this.#tally, tookMs(this.#call))
  }
}
