import type { Answer } from '@freshet/records/answer.ts'
import type { GatewayClient } from './gateway-client.ts'
import type { Tally } from './tally.ts'

const LOOKUP_EVERY_MS = 10
const MAX_KNOWN_KEYS = 10_000

export interface Callers extends AsyncDisposable {
  /** Tells of a document that may be asked for from now on. */
  know(key: string): void
  /** An answer to show, with the key that was asked for. */
  readonly lastAnswer: Answer | undefined
  stop(): Promise<void>
}

/** A backend that looks up documents at an even rate, whatever the answers take, and counts what it gets. */
export function startCallers({ gateway, tally }: { gateway: GatewayClient; tally: Tally }): Callers {
  const keys: string[] = []
  const pending = new Set<Promise<void>>()
  let known = 0
  let lastAnswer: Answer | undefined
  const timer = setInterval(() => {
    if (keys.length === 0) return
    const call = ask(keys[Math.floor(Math.random() * keys.length)]!).finally(() => pending.delete(call))
    pending.add(call)
  }, LOOKUP_EVERY_MS)

  async function ask(key: string): Promise<void> {
    const begunMs = performance.now()
    try {
      const { status, answer } = await gateway.lookup(key)
      tally.answered(answer?.source, performance.now() - begunMs)
      if (status === 200 && answer !== undefined) lastAnswer = answer
    } catch {
      tally.lookupFailures++ // counted and shown: the gateway promised an answer
    }
  }

  const stop = async () => {
    clearInterval(timer)
    await Promise.all(pending)
  }
  return {
    know(key) {
      keys[known++ % MAX_KNOWN_KEYS] = key
    },
    get lastAnswer() {
      return lastAnswer
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
