import type { Socket } from 'node:net'
import type { WireText } from '../wire-text.ts'

/** So many go out together at most. */
const MAX_HELD = 32
/** One that is added so long after the first lets all of them out. */
const MAX_HELD_MS = 1

/**
 * Answers that go out together, when the turn of the event loop that made them is over. One that goes out alone wakes its
 * caller, who has read it and sleeps again before the next is made; waking costs the server more than writing
 * (figures: decisions/0022).
 */
export class WritesOfATurn {
  #held: { readonly socket: Pick<Socket, 'write'>; readonly answer: WireText }[] = []
  #heldSinceMs = 0

  add(socket: Pick<Socket, 'write'>, answer: WireText): void {
    const nowMs = performance.now()
    if (this.#held.length === 0) {
      this.#heldSinceMs = nowMs
      setImmediate(() => this.flush())
    }
    const count = this.#held.push({ socket, answer })
    if (count === MAX_HELD || nowMs - this.#heldSinceMs > MAX_HELD_MS) this.flush()
  }

  /** To be called before anything else is done to a socket that may have an answer here. */
  flush(): void {
    const held = this.#held
    this.#held = []
    for (const { socket, answer } of held) socket.write(answer.text, answer.encoding)
  }
}
