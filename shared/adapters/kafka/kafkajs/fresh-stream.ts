/**
 * A connection of kafkajs 2.2.4 that is made again goes on with what the one before has left: the half of an answer in
 * which the broker died stands before the first answer of the new one, all that follows is cut in the wrong places, and
 * the process ends with a RangeError that nobody can catch. And the socket before, which is only asked to end, may still
 * put a late answer in between. With this guard each socket begins a stream of its own.
 *
 * It also keeps all pieces of an answer until the last is there, and copies them together then. V8 marks its whole heap
 * for each 64 MB of buffers, so these were most of what it marked for. With this guard a piece is copied to its place in
 * the answer, and so may come in memory that the next piece gets too. why: decisions/0037
 */
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { AnswerCutter } from '../wire/answer-cutter.ts'

interface Connection {
  socket?: Socket
  readonly authHandlers: { onSuccess(answer: Buffer): void; onError(): void } | null
  readonly authExpectResponse: boolean
  readonly requestQueue: {
    fulfillRequest(answer: {
      readonly size: number
      readonly correlationId: number
      readonly payload: Buffer
    }): void
  }
  isConnected(): boolean
  connect(): Promise<boolean>
  processData(piece: Buffer): void
}

/** Where the number of its request stands in an answer, and what it answers. */
const [ID_AT, PAYLOAD_AT] = [4, 8]

const require = createRequire(import.meta.url)
const guarded = Symbol.for('freshet.kafka.fresh-stream')
const cutters = new WeakMap<Socket, AnswerCutter>()

/** Applies to every connection of this process. Doing it again changes nothing. */
export function guardStreams(): void {
  const prototype: Connection & { [guarded]?: true } = require('kafkajs/src/network/connection.js').prototype
  if (prototype[guarded]) return
  prototype[guarded] = true
  const connect = prototype.connect
  prototype.connect = function (this: Connection) {
    if (!this.isConnected()) this.socket?.destroy()
    return connect.call(this)
  }
  prototype.processData = function (this: Connection, piece) {
    // What a token is answered with has no length before it.
    if (this.authHandlers && !this.authExpectResponse) return this.authHandlers.onSuccess(Buffer.from(piece))
    try {
      cutterOf(this.socket!).take(piece, (answer) => give(this, answer))
    } catch (error) {
      this.authHandlers?.onError() // of an error of the socket kafkajs does not tell who waits to be let in
      this.socket!.destroy(error as Error)
    }
  }
}

function cutterOf(socket: Socket): AnswerCutter {
  let cutter = cutters.get(socket)
  if (cutter === undefined) cutters.set(socket, (cutter = new AnswerCutter()))
  return cutter
}

function give({ authHandlers, requestQueue }: Connection, answer: Buffer): void {
  if (authHandlers) authHandlers.onSuccess(answer)
  else
    requestQueue.fulfillRequest({
      size: answer.length - ID_AT,
      correlationId: answer.readInt32BE(ID_AT),
      payload: answer.subarray(PAYLOAD_AT),
    })
}
