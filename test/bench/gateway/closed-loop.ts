/** Callers in a closed loop: each asks again as soon as it is answered. Spends little itself, so that the server is what is measured. */
import type { Buffer } from 'node:buffer'
import { Caller } from './http-exchange.ts'

export interface LoadOptions {
  /** On 127.0.0.1. */
  readonly port: number
  /** Drawn at random, each as likely as the others. */
  readonly requests: readonly Buffer[]
  /** Kept alive; each has one request under way. */
  readonly connections: number
  readonly seconds: number
  /** What the body of a good answer holds. */
  readonly good: string
}

export interface LoadResult {
  readonly answers: number
  /** Status 200, with `good` in the body. */
  readonly good: number
  readonly seconds: number
}

/** @throws when the server closes a connection, or says something that is no answer with a length */
export async function load({ port, requests, connections, seconds, good }: LoadOptions): Promise<LoadResult> {
  const count = { answers: 0, good: 0 }
  const fault = Promise.withResolvers<never>()
  const open = () => Caller.open(port, good, fault.reject)
  const callers = await Promise.all(Array.from({ length: connections }, open))
  const startMs = performance.now()
  const endMs = startMs + seconds * 1_000
  await Promise.race([Promise.all(callers.map(askAgainAndAgain)), fault.promise])
  for (const caller of callers) caller.close()
  return { ...count, seconds: (performance.now() - startMs) / 1_000 }

  function askAgainAndAgain(caller: Caller): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const ask = () => caller.ask(requests[Math.floor(Math.random() * requests.length)]!, answered)
    const answered = (isGood: boolean) => {
      count.answers++
      if (isGood) count.good++
      if (performance.now() < endMs) ask()
      else resolve()
    }
    ask()
    return promise
  }
}
