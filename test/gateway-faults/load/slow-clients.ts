/** A process of callers who send a byte at a time: some their headers, some the bodies of their requests. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Stall, Timed } from './generator.ts'
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
  /** Of who began a body and got an answer before it was whole: from the end of the headers to the answer. */
  readonly answers: readonly SlowAnswer[]
  /** When this process itself stood still. */
  readonly stalls: readonly Stall[]
}

export interface SlowAnswer extends Timed {
  /** Of HTTP. */
  readonly status: number
}

const BYTE_EVERY_MS = 100
const TICK_MS = 5
/** Late by less is how timers are. */
const NOTICED_MS = 3

/** @returns when this process stood still, until it is asked. */
function watchOwnStalls(): () => Stall[] {
  const stalls: Stall[] = []
  let tickedAtMs = monotonicMs()
  const timer = setInterval(() => {
    const nowMs = monotonicMs()
    if (nowMs - tickedAtMs > TICK_MS + NOTICED_MS) stalls.push({ fromMs: tickedAtMs, toMs: nowMs })
    tickedAtMs = nowMs
  }, TICK_MS)
  return () => {
    clearInterval(timer)
    return stalls
  }
}

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
    status: Number(text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)),
    sentAtMs: beganAtMs,
    doneAtMs: answeredAtMs,
  }
}

if (process.send !== undefined) {
  const [order] = (await once(process, 'message')) as [SlowOrder]
  let isOver = false
  const ownStalls = watchOwnStalls()
  const told = { headersCutOff: 0, answers: [] as SlowAnswer[] }
  const callers = Array.from({ length: order.callers }, async (_, caller) => {
    // Callers who are slow know nothing of each other: all in step, a hundred of them would be refused in one moment.
    await new Promise((resolve) => setTimeout(resolve, (BYTE_EVERY_MS * caller) / order.callers))
    while (!isOver) {
      const request = order.requests[caller % order.requests.length]!
      if (caller % 2 === 0)
        told.headersCutOff += (await drip(order.port, request, 0, () => isOver)).isCutOff ? 1 : 0
      else {
        const { status, sentAtMs, doneAtMs } = await drip(
          order.port,
          request,
          request.indexOf('\r\n\r\n') + 4,
          () => isOver,
        )
        if (doneAtMs === null) continue
        told.answers.push({ status, sentAtMs, doneAtMs })
      }
    }
  })
  await once(process, 'message')
  isOver = true
  await Promise.all(callers)
  process.send({ ...told, stalls: ownStalls() } satisfies SlowReport, () => process.disconnect())
}
