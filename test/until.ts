import { setTimeout as sleep } from 'node:timers/promises'

const GIVE_UP_MS = 45_000
const ASK_EVERY_MS = 100

/** Waits for a fact. A question that throws counts as "not yet". @throws when it has not come true in time, with `explain()` */
export async function until(
  fact: string,
  ask: () => Promise<boolean>,
  explain: () => string = () => '',
): Promise<void> {
  const giveUpAtMs = performance.now() + GIVE_UP_MS
  for (let last: unknown; ; ) {
    try {
      if (await ask()) return
    } catch (error) {
      last = error
    }
    if (performance.now() > giveUpAtMs)
      throw new Error(`not in ${GIVE_UP_MS / 1000} s: ${fact} ${last ?? ''} ${explain()}`)
    await sleep(ASK_EVERY_MS)
  }
}
