import { type IncomingMessage, ServerResponse } from 'node:http'

type End = Parameters<ServerResponse['end']>

/** So many answers are made in about a millisecond; the first is not kept for longer. */
const MAX_HELD = 32

let held: { readonly response: Pick<GatheredResponse, 'endNow'>; readonly end: End }[] = []

/**
 * An answer that goes out together with all others of the same turn of the event loop, at its end. One that goes out alone
 * wakes its caller, who has read it and sleeps again before the next is made; waking costs the server more than writing
 * (figures: decisions/0022). Corking the socket would not do: `end` uncorks it.
 */
export class GatheredResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  override end(...end: unknown[]): this {
    const count = held.push({ response: this, end: end as End })
    if (count === 1) setImmediate(release)
    else if (count === MAX_HELD) release()
    return this
  }

  endNow(end: End): void {
    super.end(...end)
  }
}

function release(): void {
  const answers = held
  held = []
  for (const { response, end } of answers) response.endNow(end)
}
