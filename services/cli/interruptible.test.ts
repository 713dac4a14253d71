import { expect, test, vi } from 'vitest'
import { interruptible } from './interruptible.ts'

test('a command that ends by itself has its own exit code, also when it was interrupted too late', async () => {
  const stop = new AbortController()
  expect(await interruptible(async () => 1, stop.signal)).toBe(1)
  const late = async () => {
    stop.abort()
    return 0
  }
  expect(await interruptible(late, stop.signal)).toBe(0)
})

test('one that is stopped says so and ends with 130, whatever it fails with', async () => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const stop = new AbortController()
    const working = async (signal: AbortSignal) => {
      stop.abort()
      throw new Error(`a socket was closed: ${signal.aborted}`)
    }
    expect(await interruptible(working, stop.signal)).toBe(130)
    expect(written.mock.calls).toEqual([['stopped\n']])
  } finally {
    written.mockRestore()
  }
})

test('one that fails by itself has failed', async () => {
  const failing = async () => {
    throw new Error('no answer')
  }
  await expect(interruptible(failing, new AbortController().signal)).rejects.toThrow('no answer')
})
