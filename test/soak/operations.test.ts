import { readFlights } from '@freshet/demo/flights.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SoakDocuments } from './operations.ts'

const flights = (await readFlights()).slice(0, 50)

/** Played into a map, as Elasticsearch would: what is promised of the numbers holds for all that a user may ask for. */
test('as many documents live at the end as were written and not deleted, and nothing is updated that is not there', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 2_000 }),
      fc.double({ min: 0, max: 3, noNaN: true }),
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      (documents, updateShare, deleteShare) => {
        const updates = Math.floor(documents * updateShare)
        const deletes = Math.floor(documents * deleteShare)
        const live = new Set<string>()
        const count = { create: 0, update: 0, delete: 0 }
        for (const { kind, id } of new SoakDocuments({ documents, updates, deletes }, flights).load()) {
          count[kind]++
          expect(live.has(id)).toBe(kind !== 'create')
          if (kind === 'delete') live.delete(id)
          else live.add(id)
        }
        expect(count).toMatchObject({ create: documents, delete: deletes })
        expect(count.update).toBeGreaterThanOrEqual(updates - Math.ceil(updateShare) - 1)
        expect(live.size).toBe(documents - deletes)
      },
    ),
  )
})

test('the same numbers give the same operations', () => {
  const amounts = { documents: 500, updates: 200, deletes: 50 }
  const once = [...new SoakDocuments(amounts, flights).load()]
  expect([...new SoakDocuments(amounts, flights).load()]).toEqual(once)
})
