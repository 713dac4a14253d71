import { setTimeout as sleep } from 'node:timers/promises'

const ASK_EVERY_MS = 100

export interface Patience {
  /** 90 s unless told. */
  readonly giveUpMs?: number
  /** What a failing test shows. */
  readonly explain?: () => string
}

/** Waits for a fact. A question that throws counts as "not yet". @throws when it has not come true in time, with `explain()` */
export async function until(
  fact: string,
  ask: () => Promise<boolean>,
  { giveUpMs = 90_000, explain = () => '' }: Patience = {},
): Promise<void> {
  const giveUpAtMs = performance.now() + giveUpMs
  for (let last: unknown; ; ) {
    try {
      if (await ask()) return
    } catch (error) {
      last = error
    }
    if (performance.now() > giveUpAtMs)
      throw new Error(`not in ${giveUpMs / 1000} s: ${fact} ${last ?? ''} ${explain()}`)
    await sleep(ASK_EVERY_MS)
  }
}
