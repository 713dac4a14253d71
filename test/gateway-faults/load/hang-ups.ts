/** A process whose callers hang up: in the middle of a request, right behind it, or in the middle of the answer. */
import { once } from 'node:events'
import { connect } from 'node:net'

export interface HangUpOrder {
  /** On 127.0.0.1. */
  readonly port: number
  /** Whole requests. */
  readonly requests: readonly string[]
  readonly perSecond: number
}

if (process.send !== undefined) {
  const [order] = (await once(process, 'message')) as [HangUpOrder]
  for (let count = 0; ; count++) {
    hangUp(order, count)
    if (count % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 10_000 / order.perSecond))
  }
}

function hangUp({ port, requests }: HangUpOrder, count: number): void {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const request = requests[count % requests.length]!
  socket.once('connect', () => {
    if (count % 3 === 0) socket.write(request.slice(0, request.length / 2), () => socket.resetAndDestroy())
    else if (count % 3 === 1) socket.write(request, () => socket.resetAndDestroy())
    else {
      socket.write(request)
      socket.once('data', () => socket.resetAndDestroy())
    }
  })
}
