import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CollectedKeys } from './collected-keys.ts'
import type { LiveTable } from './live-table.ts'

async function tableOf(entries: Iterable<readonly [string, number]>): Promise<LiveTable> {
  const live = new CollectedKeys()
  for (const [key, seqNo] of entries) {
    const bytes = Buffer.from(`»${key}`) // a key that does not begin where its buffer does
    live.add(bytes, 2, bytes.length, seqNo)
  }
  return live.seal()
}

const ask = (table: LiveTable, key: string) => {
  const bytes = Buffer.from(key)
  return {
    has: table.has(bytes, 0, bytes.length),
    meet: (seqNo: number) => table.meet(bytes, 0, bytes.length, seqNo),
    isMet: table.isMet(bytes, 0, bytes.length),
  }
}

const key = fc.oneof(
  fc.constantFrom('a', 'b', 'a/b', '', 'é', '💧'),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
)
const seqNo = fc.oneof(fc.nat(5), fc.nat(), fc.constantFrom(2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7, 2 ** 41 - 1))

describe('a table of living keys', () => {
  test('is a map: every key with the sequence number that it was added with last, and no other key', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(key, seqNo)), fc.array(key), async (entries, others) => {
        const table = await tableOf(entries)
        const plain = new Map(entries)
        expect(table.size).toBe(plain.size)
        for (const [name, expected] of plain) {
          expect(ask(table, name)).toMatchObject({ has: true, isMet: false })
          expect(ask(table, name).meet(expected)).toBe(0)
        }
        for (const name of others.filter((other) => !plain.has(other)))
          expect(ask(table, name)).toMatchObject({ has: false, isMet: false })
      }),
    )
  })

  test('tells how many operations a row lags behind, in both directions and beyond its own range', async () => {
    const table = await tableOf([
      ['a', 100],
      ['b', 2 ** 41 + 5],
    ])
    expect(ask(table, 'a').meet(40)).toBe(60)
    expect(ask(table, 'a').meet(101)).toBe(-1)
    expect(ask(table, 'b').meet(2 ** 41 - 5)).toBe(10)
    expect(ask(table, 'c').meet(1)).toBeUndefined()
    expect([...(await tableOf([['a', 2 ** 41 + 5]])).unmetSeqNos(2 ** 41 + 9)]).toEqual([2 ** 41 + 5])
  })

  test('knows which keys were met', async () => {
    const all = fc.uniqueArray(key, { minLength: 1 })
    await fc.assert(
      fc.asyncProperty(all, fc.infiniteStream(fc.boolean()), async (keys, coins) => {
        const table = await tableOf(keys.map((name, i) => [name, i]))
        const met = keys.filter(() => coins.next().value)
        for (const name of met) ask(table, name).meet(0)
        expect(keys.filter((name) => ask(table, name).isMet)).toEqual(met)
        const unmet = keys.flatMap((name, i) => (met.includes(name) ? [] : [i]))
        expect([...table.unmetSeqNos(keys.length)].sort((a, b) => a - b)).toEqual(unmet)
      }),
    )
  })

  test('holds many keys, takes none for another, and needs at most 16 bytes for each', async () => {
    const count = 1_000_000
    const live = new CollectedKeys()
    let mostBytesPerKey = 0
    for (let i = 0; i < count; i++) {
      const bytes = Buffer.from(`flights/${i}`)
      live.add(bytes, 0, bytes.length, i)
      if (i > 150_000) mostBytesPerKey = Math.max(mostBytesPerKey, live.bytes / i)
    }
    expect(mostBytesPerKey).toBeLessThanOrEqual(16)
    const table = await live.seal()
    expect(table.size).toBe(count)
    let wrong = 0
    for (let i = 0; i < count; i++) {
      const bytes = Buffer.from(`flights/${i}`)
      if (table.meet(bytes, 0, bytes.length, i) !== 0) wrong++
      bytes[0] = 0x46
      if (table.has(bytes, 0, bytes.length)) wrong++
    }
    expect(wrong).toBe(0)
    expect([...table.unmetSeqNos(0)]).toEqual([])
  })
})
