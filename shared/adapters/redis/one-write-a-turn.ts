import type { Duplex } from 'node:stream'

/**
 * Lets all that is written in one turn of the event loop go out in one write: each of its own is a system call, which
 * costs as much as all else that a lookup does. Nothing waits for longer than this turn's reading of sockets.
 */
export class OneWriteATurn {
  #held: Duplex | undefined

  /** To be called before each write. */
  gather(stream: Duplex): void {
    if (this.#held === stream) return
    this.#held = stream
    stream.cork()
    setImmediate(() => {
      stream.uncork()
      if (this.#held === stream) this.#held = undefined
    })
  }
}
