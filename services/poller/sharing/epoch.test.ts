import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nextEpoch } from './epoch.ts'

const PARTITIONS = 8
const moment = fc.integer({ min: 1, max: 2 ** 44 })

test('an epoch tells whose it is, and is above all that is known, whatever the clock says', () => {
  fc.assert(
    fc.property(fc.nat(PARTITIONS - 1), moment, moment, (partition, lastKnown, nowMs) => {
      const epoch = nextEpoch({ partition, partitions: PARTITIONS }, { lastKnown, nowMs })
      expect(epoch % PARTITIONS).toBe(partition)
      expect(epoch).toBeGreaterThan(lastKnown)
      expect(epoch).toBeGreaterThanOrEqual(nowMs)
      expect(epoch).toBeLessThan(Math.max(nowMs, lastKnown + 1) + PARTITIONS)
    }),
  )
})
