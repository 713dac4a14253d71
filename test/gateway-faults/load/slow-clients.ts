/** A process of callers who send a byte at a time: some their headers, some the bodies of their requests. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { monotonicMs } from './monotonic.ts'

export interface SlowOrder {
  /** On 127.0.0.1. */
  readonly port: number
  /** Whole requests with a body. */
  readonly requests: readonly string[]
  readonly callers: number
}

export interface SlowReport {
  /** Connections that the gateway closed while headers came. */
  readonly headersCutOff: number
  /** By HTTP status: who began a body and got an answer before it was whole. */
  readonly statuses: Readonly<Record<string, number>>
  /** From the end of the headers to the answer, the longest. */
  readonly maxMs: number
}

const BYTE_EVERY_MS = 100

/** @param atOnce bytes that are sent together; the others follow one by one. */
async function drip(port: number, request: string, atOnce: number, isOver: () => boolean) {
  const socket: Socket = connect(port, '127.0.0.1')
  let text = ''
  let isClosed = false
  socket.on('error', () => {})
  socket.on('data', (bytes) => (text += bytes))
  socket.once('close', () => (isClosed = true))
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {})
  if (atOnce > 0) socket.write(request.slice(0, atOnce))
  const beganAtMs = monotonicMs()
  let answeredAtMs: number | null = null
  socket.once('data', () => (answeredAtMs = monotonicMs()))
  for (let at = atOnce; at < request.length - 1 && !isOver() && !isClosed && text === ''; at++) {
    socket.write(request[at]!)
    await new Promise((resolve) => setTimeout(resolve, BYTE_EVERY_MS))
  }
  const isCutOff = isClosed || text !== ''
  socket.destroy()
  return {
    isCutOff,
    status: answeredAtMs === null ? null : text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length),
    tookMs: (answeredAtMs ?? beganAtMs) - beganAtMs,
  }
}

if (process.send !== undefined) {
  const [order] = (await once(process, 'message')) as [SlowOrder]
  let isOver = false
  const told = { headersCutOff: 0, statuses: {} as Record<string, number>, maxMs: 0 }
  const callers = Array.from({ length: order.callers }, async (_, caller) => {
    while (!isOver) {
      const request = order.requests[caller % order.requests.length]!
      if (caller % 2 === 0)
        told.headersCutOff += (await drip(order.port, request, 0, () => isOver)).isCutOff ? 1 : 0
      else {
        const { status, tookMs } = await drip(
          order.port,
          request,
          request.indexOf('\r\n\r\n') + 4,
          () => isOver,
        )
        if (status === null) continue
        told.statuses[status] = (told.statuses[status] ?? 0) + 1
        told.maxMs = Math.max(told.maxMs, tookMs)
      }
    }
  })
  await once(process, 'message')
  isOver = true
  await Promise.all(callers)
  process.send(told satisfies SlowReport, () => process.disconnect())
}
