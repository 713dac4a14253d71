/**
 * What breaks while the gateway is asked 1,250 times a second in an open loop, each fault with 10,000 requests and more.
 * That an answer came within 100 ms is asserted where the control process saw nothing of the machine at that moment;
 * everything else always. The figures, on a machine that nobody disturbs: `npm run faults`.
 */
import { describe, expect, test } from 'vitest'
import { FAULTS } from './gateway-faults/faults.ts'
import { runFault } from './gateway-faults/run-fault.ts'

const LOAD = { seconds: 8.2, requestsPerSecond: 1_250 }
const GIVE_UP_MS = 240_000
/** The control process waits for a core itself, so of a starved machine (load 30) it misses some. `npm run faults` takes none. */
const UNSEEN_SHARE = 0.005

type Result = Awaited<ReturnType<typeof runFault>>

/** Whatever the machine did meanwhile. */
function expectRight({ requests, askedWhileBroken, wrong, exitCode }: Result): void {
  expect(requests).toBeGreaterThanOrEqual(10_000)
  expect(askedWhileBroken, 'asked while it was broken').toBeGreaterThan(4_000)
  expect(new Set(wrong.slice(0, 10)), 'answers that are wrong').toEqual(new Set())
  expect(exitCode, 'stopped as asked').toBe(0)
}

function sharesOf({ requests, inexcusable, refusedWithoutCause }: Result) {
  return { late: inexcusable.length / requests, refused: refusedWithoutCause / requests }
}

describe('whatever breaks, callers get the best answer that exists, within 100 ms', () => {
  test.each(FAULTS.map((fault) => [fault.title, fault] as const))(
    '%s',
    async (_, fault) => {
      let result = await runFault(fault, LOAD)
      expectRight(result)
      // A standstill that the control process missed spoils a run now and then; who is late in two runs is late.
      if (Math.max(...Object.values(sharesOf(result))) >= UNSEEN_SHARE) {
        console.log('late or refused beyond what is let pass, so once more:', sharesOf(result))
        result = await runFault(fault, LOAD)
        expectRight(result)
      }
      const { late, refused } = sharesOf(result)
      expect(late, 'late, while the machine ran').toBeLessThan(UNSEEN_SHARE)
      expect(refused, 'refused, while the machine ran').toBeLessThan(UNSEEN_SHARE)
      expect(result.recoverySeconds, 'recovered in time').not.toBeNull()
    },
    GIVE_UP_MS,
  )
})
