import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LastPools } from './last-pools.ts'

function pool(bytes: number, seenAtMs = 1) {
  return { response: Buffer.alloc(bytes, seenAtMs), fields: 'a', seenAtMs }
}

const QUERIES = ['a', 'b', 'c', 'd', 'e']

// Against a plain list: what is kept is what was asked for or kept last, and the bounds hold after every step.
test('whatever is kept and asked for, the bounds hold, and the newest of what fits is there', () => {
  const step = fc.record({
    query: fc.constantFrom(...QUERIES),
    bytes: fc.nat(2_000),
    keep: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 4 }), (steps, maxPools) => {
      const maxBytes = 3_000
      const pools = new LastPools({ maxPools, maxBytes })
      let model: { query: string; bytes: number; at: number }[] = []
      for (const [at, { query, bytes, keep }] of steps.entries()) {
        const known = model.find((one) => one.query === query)
        if (!keep) {
          expect(pools.get(query)?.seenAtMs).toBe(known?.at)
          if (known) model = [...model.filter((one) => one !== known), known]
          continue
        }
        pools.keep(query, pool(bytes, at))
        model = [...model.filter((one) => one !== known), { query, bytes: bytes + 256, at }]
        const sum = () => model.reduce((sum, { bytes }) => sum + bytes, 0)
        while (model.length > maxPools || sum() > maxBytes) model.shift()
        const kept = new Map(model.map(({ query, at }) => [query, at]))
        for (const query of kept.keys()) expect(pools.get(query)?.seenAtMs).toBe(kept.get(query)) // in their order: it stays
        for (const query of QUERIES) if (!kept.has(query)) expect(pools.get(query)).toBeUndefined()
      }
    }),
  )
})

test('a pool has bytes of its own, whatever becomes of those that came', () => {
  const pools = new LastPools({ maxPools: 1, maxBytes: 1_000 })
  const given = pool(4, 7)
  pools.keep('a', given)
  given.response.fill(0)
  expect(pools.get('a')?.response).toEqual(Buffer.alloc(4, 7))
})
