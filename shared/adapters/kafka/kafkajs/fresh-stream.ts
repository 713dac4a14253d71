/**
 * A connection of kafkajs 2.2.4 that is made again goes on with what the one before has left: the half of an answer in
 * which the broker died stands before the first answer of the new one, all that follows is cut in the wrong places, and
 * the process ends with a RangeError that nobody can catch. And the socket before, which is only asked to end, may still
 * put a late answer in between. With this guard each socket begins a stream of its own.
 */
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'

interface Connection {
  socket?: Socket
  chunks: Buffer[]
  bytesBuffered: number
  bytesNeeded: number
  isConnected(): boolean
  connect(): Promise<boolean>
}

/** Of an answer's length. */
const LENGTH_BYTES = 4

const require = createRequire(import.meta.url)
const guarded = Symbol.for('freshet.kafka.fresh-stream')

/** Applies to every connection of this process. Doing it again changes nothing. */
export function guardStreams(): void {
  const prototype: Connection & { [guarded]?: true } = require('kafkajs/src/network/connection.js').prototype
  if (prototype[guarded]) return
  prototype[guarded] = true
  const connect = prototype.connect
  prototype.connect = function (this: Connection) {
    if (!this.isConnected()) {
      this.socket?.destroy()
      this.chunks = []
      this.bytesBuffered = 0
      this.bytesNeeded = LENGTH_BYTES
    }
    return connect.call(this)
  }
}
