import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { KEYS_PER_CALL, ReadsOfATurn } from './reads-of-a-turn.ts'

function reads() {
  const calls: (readonly string[])[] = []
  const all = new ReadsOfATurn(async (keys) => {
    calls.push(keys)
    if (keys.includes('bad')) throw new Error('refused')
    return (at) => {
      if (keys[at] === 'broken') throw new Error('broken')
      return `${keys[at]}!`
    }
  })
  return { all, calls }
}

test('what is read in one turn is asked for in one call behind it, and each gets its own', async () => {
  const { all, calls } = reads()
  const first = Promise.all(['a', 'c', 'a', 'b'].map((name) => all.get(name)))
  await Promise.resolve()
  expect(calls).toEqual([])
  await turn()
  expect(calls).toEqual([['a', 'c', 'a', 'b']])
  const next = all.get('d') // waits for no reply
  expect(await first).toEqual(['a!', 'c!', 'a!', 'b!'])
  expect(await next).toBe('d!')
  expect(calls).toHaveLength(2)
})

test('a call that is refused is refused to all of its turn, and to nobody after', async () => {
  const { all } = reads()
  const results = await Promise.allSettled([all.get('a'), all.get('bad')])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await all.get('a')).toBe('a!')
})

test('a value that cannot be read is its reader’s trouble alone', async () => {
  const { all } = reads()
  const results = await Promise.allSettled(['a', 'broken', 'b'].map((key) => all.get(key)))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('more than one call may hold go out in several, in order', async () => {
  const { all, calls } = reads()
  const names = Array.from({ length: 2 * KEYS_PER_CALL + 1 }, (_, number) => `${number}`)
  expect(await Promise.all(names.map((name) => all.get(name)))).toEqual(names.map((name) => `${name}!`))
  expect(calls.map(({ length }) => length)).toEqual([KEYS_PER_CALL, KEYS_PER_CALL, 1])
  expect(calls.flat()).toEqual(names)
})
