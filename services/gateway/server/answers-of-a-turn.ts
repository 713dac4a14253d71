import { type IncomingMessage, ServerResponse } from 'node:http'
import { toFreshetError } from '@freshet/errors/errors.ts'

type End = Parameters<ServerResponse['end']>

/** The first of them waits for no more others, */
const MAX_HELD = 32
/** and, where a turn has more to do than answers, no longer than until the next one after this. */
const MAX_HELD_MS = 1

let held: { readonly response: Pick<GatheredResponse, 'endNow' | 'destroy'>; readonly end: End }[] = []
let heldSinceMs = 0

/**
 * An answer that goes out together with all others of the same turn of the event loop, at its end. One that goes out alone
 * wakes its caller, who has read it and sleeps again before the next is made; waking costs the server more than writing
 * (figures: decisions/0022). Corking the socket would not do: `end` uncorks it.
 */
export class GatheredResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  override end(...end: unknown[]): this {
    const nowMs = performance.now()
    if (held.length === 0) {
      heldSinceMs = nowMs
      setImmediate(release)
    }
    const count = held.push({ response: this, end: end as End })
    if (count === MAX_HELD || nowMs - heldSinceMs > MAX_HELD_MS) release()
    return this
  }

  /** An answer that is held goes to the socket before that is closed. */
  override destroy(error?: Error): this {
    release()
    return super.destroy(error)
  }

  endNow(end: End): void {
    super.end(...end)
  }
}

function release(): void {
  const answers = held
  held = []
  for (const { response, end } of answers)
    try {
      response.endNow(end)
    } catch (error) {
      response.destroy(toFreshetError(error)) // the others' answers are as good as before
    }
}
