import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SilenceWatch } from './silence-watch.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function watched() {
  const onSilent = vi.fn()
  return { onSilent, watch: new SilenceWatch(onSilent) }
}

test('silence of some five seconds is told, once', () => {
  const { onSilent, watch } = watched()
  watch.begin()
  vi.advanceTimersByTime(5_000)
  expect(onSilent).not.toHaveBeenCalled()
  vi.advanceTimersByTime(60_000)
  expect(onSilent).toHaveBeenCalledOnce()
})

test('one who is heard is not silent, nor is one who has not begun or has ended', () => {
  const { onSilent, watch } = watched()
  vi.advanceTimersByTime(60_000)
  watch.begin()
  for (let i = 0; i < 20; i++) {
    vi.advanceTimersByTime(4_000)
    watch.heard()
  }
  watch.end()
  vi.advanceTimersByTime(60_000)
  expect(onSilent).not.toHaveBeenCalled()
})

test('one who was started and does not begin is told after two minutes, whatever it says', () => {
  const { onSilent, watch } = watched()
  watch.start()
  for (let second = 0; second < 119; second++) {
    vi.advanceTimersByTime(1_000)
    watch.heard()
  }
  expect(onSilent).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1_000)
  expect(onSilent).toHaveBeenCalledOnce()
})

test('one who begins in time is watched for silence from then on', () => {
  const { onSilent, watch } = watched()
  watch.start()
  vi.advanceTimersByTime(100_000)
  watch.begin()
  vi.advanceTimersByTime(5_000)
  expect(onSilent).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1_000)
  expect(onSilent).toHaveBeenCalledOnce()
})

test('while this process stands still, nobody is silent', async () => {
  vi.useRealTimers()
  const onSilent = vi.fn()
  using watch = new SilenceWatch(onSilent, 20)
  watch.begin()
  const endsAtMs = performance.now() + 20 * 20
  while (performance.now() < endsAtMs);
  await new Promise((resolve) => setTimeout(resolve, 1)) // the looks that were missed would come first
  expect(onSilent).not.toHaveBeenCalled()
})
