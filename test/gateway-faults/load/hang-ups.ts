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

/** So many have hung up in the middle of a request, right behind it, and in the middle of the answer. */
export interface HangUpReport {
  readonly inRequest: number
  readonly behindIt: number
  readonly inAnswer: number
}

const told = { inRequest: 0, behindIt: 0, inAnswer: 0 }

if (process.send !== undefined) {
  const [order] = (await once(process, 'message')) as [HangUpOrder]
  let isOver = false
  process.once('message', () => (isOver = true))
  for (let count = 0; !isOver; count++) {
    hangUp(order, count)
    if (count % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 10_000 / order.perSecond))
  }
  process.send(told satisfies HangUpReport, () => process.disconnect())
}

function hangUp({ port, requests }: HangUpOrder, count: number): void {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const request = requests[count % requests.length]!
  const resets = (how: keyof HangUpReport) => () => {
    told[how]++
    socket.resetAndDestroy()
  }
  socket.once('connect', () => {
    if (count % 3 === 0) socket.write(request.slice(0, request.length / 2), resets('inRequest'))
    else if (count % 3 === 1) socket.write(request, resets('behindIt'))
    else {
      socket.write(request)
      socket.once('data', resets('inAnswer'))
    }
  })
}
