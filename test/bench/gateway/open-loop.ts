/** Callers who come at a fixed rate, whether or not the earlier ones are answered: what a wait is, is counted from when it was due. */
import type { Buffer } from 'node:buffer'
import { setTimeout as sleep } from 'node:timers/promises'
import { Caller } from './http-exchange.ts'

export interface PacedOptions {
  /** On 127.0.0.1. */
  readonly port: number
  /** Drawn at random. */
  readonly requests: readonly Buffer[]
  readonly perSecond: number
  readonly seconds: number
  readonly connections: number
  /** What the body of a good answer holds. */
  readonly good: string
}

export interface PacedResult {
  readonly answers: number
  readonly good: number
  /** Sorted, in milliseconds from when each was due. */
  readonly latenciesMs: Float64Array
}

const LAST_ANSWERS_MS = 10_000

/** @throws when the server closes a connection, or does not answer within ten seconds of the end */
export async function pacedLoad(options: PacedOptions): Promise<PacedResult> {
  const { port, requests, perSecond, seconds, connections, good } = options
  const fault = Promise.withResolvers<never>()
  const open = () => Caller.open(port, good, fault.reject)
  // In turns: a connection that is never asked over is closed by servers that bound the wait for a request.
  const free = await Promise.all(Array.from({ length: connections }, open))
  const callers = [...free]
  const total = Math.round(perSecond * seconds)
  const latenciesMs = new Float64Array(total)
  let [sent, answers, goodAnswers] = [0, 0, 0]
  const all = Promise.withResolvers<void>()
  const startMs = performance.now()
  const dueMs = (index: number) => startMs + (index / perSecond) * 1_000
  const sendDue = () => {
    const nowMs = performance.now()
    while (free.length > 0 && sent < total && dueMs(sent) <= nowMs) send(free.shift()!, sent++)
  }
  const send = (caller: Caller, index: number) =>
    caller.ask(requests[Math.floor(Math.random() * requests.length)]!, (isGood) => {
      latenciesMs[index] = performance.now() - dueMs(index)
      if (isGood) goodAnswers++
      free.push(caller)
      if (++answers === total) all.resolve()
      sendDue()
    })
  const timer = setInterval(sendDue, 1)
  const late = new AbortController()
  try {
    const tooLate = sleep(seconds * 1_000 + LAST_ANSWERS_MS, undefined, { signal: late.signal }).then(() => {
      throw new Error(`${answers} of ${total} answers in time`)
    })
    await Promise.race([all.promise, fault.promise, tooLate])
  } finally {
    late.abort()
    clearInterval(timer)
    for (const caller of callers) caller.close()
  }
  return { answers, good: goodAnswers, latenciesMs: latenciesMs.sort() }
}

/** @param share 0.99 for p99 */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}
