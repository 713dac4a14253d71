/**
 * What breaks while the gateway is asked 1,250 times a second in an open loop, each fault with 10,000 requests and more.
 * That an answer came within 100 ms is asserted where the control process saw nothing of the machine at that moment;
 * everything else always. The figures, on a machine that nobody disturbs: `npm run faults`.
 */
import { describe, expect, test } from 'vitest'
import { FAULTS } from './gateway-faults/faults.ts'
import { runFault } from './gateway-faults/run-fault.ts'
import { brokenRules, isStarved, missedTimes } from './gateway-faults/verdict.ts'

const LOAD = { seconds: 8.2, requestsPerSecond: 1_250 }
const GIVE_UP_MS = 240_000
/** The control process waits for a core itself, so of a starved machine (load 30) it misses some. `npm run faults` takes none. */
const LENIENCY = { unseenShare: 0.005, unseenShareOfOthers: 0.05, isLessStalls: true }

type Result = Awaited<ReturnType<typeof runFault>>

/** Whatever the machine did meanwhile. */
function expectRight(result: Result): void {
  expect(result.requests).toBeGreaterThanOrEqual(10_000)
  expect(result.askedWhileBroken, 'asked while it was broken').toBeGreaterThan(4_000)
  expect(brokenRules(result, LENIENCY)).toEqual([])
}

describe('whatever breaks, callers get the best answer that exists, within 100 ms', () => {
  test.each(FAULTS.map((fault) => [fault.title, fault] as const))(
    '%s',
    async (_, fault) => {
      let result = await runFault(fault, LOAD)
      expectRight(result)
      // A standstill that the control process missed spoils a run now and then; who is late in two runs is late.
      if (missedTimes(result, LENIENCY).length > 0) {
        console.log('beyond what is let pass, so once more:', missedTimes(result, LENIENCY))
        result = await runFault(fault, LOAD)
        expectRight(result)
      }
      expect(missedTimes(result, LENIENCY), 'while the machine ran').toEqual([])
      if (isStarved(result))
        console.log(`starved: of ${result.askedWhileBroken} only ${result.undisturbed} met no stall`)
    },
    GIVE_UP_MS,
  )
})
