import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Standstill } from './standstill.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('work that goes on may take as long as it likes; once it stands still, it is given up for good', () => {
  using standstill = new Standstill(1_000)
  for (let i = 0; i < 100; i++) {
    vi.advanceTimersByTime(999)
    standstill.progress()
  }
  expect(standstill.signal.aborted).toBe(false)
  vi.advanceTimersByTime(1_000)
  expect(standstill.signal.aborted).toBe(true)
  standstill.progress()
  expect(vi.getTimerCount()).toBe(0)
})
