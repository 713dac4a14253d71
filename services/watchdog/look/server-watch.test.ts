import { FreshetError } from '@freshet/errors/errors.ts'
import { expect, test } from 'vitest'
import { ServerWatch } from './server-watch.ts'

/** Looks, each at its second; a text is what it sees, undefined that nobody answers. */
async function look(...answers: readonly (string | undefined)[]) {
  const stop = new AbortController()
  const sights: unknown[] = []
  let second = 0
  const watch = new ServerWatch<string>({
    look: async () => {
      const answer = answers[second]
      if (answer === undefined) throw new FreshetError('S3_UNREACHABLE', `no answer at ${second}`)
      return answer
    },
    pauseMs: () => 1_000,
    clock: {
      nowMs: () => second * 1_000,
      sleep: async () => {
        sights.push(watch.sight)
        if (++second === answers.length) stop.abort()
      },
    },
  })
  await watch.run(stop.signal)
  return sights
}

test('what was seen last stays while nobody answers, and it is told since when and why', async () => {
  expect(await look('a', undefined, undefined, 'b')).toEqual([
    { seenAtMs: 0, value: 'a', fault: null },
    { seenAtMs: 0, value: 'a', fault: { sinceMs: 1_000, error: 'S3_UNREACHABLE: no answer at 1' } },
    { seenAtMs: 0, value: 'a', fault: { sinceMs: 1_000, error: 'S3_UNREACHABLE: no answer at 2' } },
    { seenAtMs: 3_000, value: 'b', fault: null },
  ])
})

test('a server that was never seen is told as such', async () => {
  expect(await look(undefined)).toEqual([
    { seenAtMs: null, value: null, fault: { sinceMs: 0, error: 'S3_UNREACHABLE: no answer at 0' } },
  ])
})

test('a look that hangs is ended with the watch', async () => {
  const stop = new AbortController()
  const watch = new ServerWatch({
    look: (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended')))),
    pauseMs: () => 0,
    clock: { nowMs: () => 0, sleep: async () => {} },
  })
  const running = watch.run(stop.signal)
  stop.abort()
  await running
  expect(watch.sight.fault).toBeNull()
})
