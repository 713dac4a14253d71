import { readBundleFolder } from '@freshet/model/bundle/bundle.ts'
import { scoreDocuments } from '@freshet/model/run/score-documents.ts'
import { expect, test } from 'vitest'
import { type Flight, flightUpdates, readFlights, versionsOf } from './flights.ts'

const flights = await readFlights()

test('the sample holds more than 20,000 flights, each once', () => {
  expect(flights.length).toBeGreaterThan(20_000)
  expect(new Set(flights.map(({ id }) => id)).size).toBe(flights.length)
})

test('a flight is scheduled, departs and lands; what is not known yet is not in the document', () => {
  const landed = flights.find(({ document }) => document.status === 'landed')!
  const versions = versionsOf(landed)
  expect(versions.map(({ status }) => status)).toEqual(['scheduled', 'departed', 'landed'])
  expect(versions[0]).not.toHaveProperty('dep_delay')
  expect(versions[1]).toHaveProperty('dep_delay')
  expect(versions[1]).not.toHaveProperty('actual_arr_delay')
  expect(versions[2]).toEqual(landed.document)
})

test('a cancelled flight never departs', () => {
  const cancelled = flights.find(({ document }) => document.status === 'cancelled')!
  expect(versionsOf(cancelled).map(({ status }) => status)).toEqual(['scheduled', 'cancelled'])
})

test('the stream brings every version once, in the order of its flight, and the same for the same seed', () => {
  const some = flights.slice(0, 300)
  const updates = [...flightUpdates(some, { seed: 7, underWay: 40 })]
  const byFlight = Map.groupBy(updates, ({ id }) => id)
  for (const flight of some)
    expect(byFlight.get(flight.id)!.map(({ document }) => document)).toEqual(versionsOf(flight))
  expect([...flightUpdates(some, { seed: 7, underWay: 40 })]).toEqual(updates)
  expect([...flightUpdates(some, { seed: 8, underWay: 40 })]).not.toEqual(updates)
})

test('the demo’s model scores every version of the sample’s flights', async () => {
  const bundle = await readBundleFolder(new URL('./model', import.meta.url).pathname)
  const documents = flights.slice(0, 200).flatMap(versionsOf).map(toBytes)
  const scores = await scoreDocuments(bundle, documents)
  expect(scores.filter(({ state }) => state !== 'scored')).toEqual([])
})

function toBytes(document: Flight['document']): Buffer {
  return Buffer.from(JSON.stringify(document))
}
