import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ageMs, nextProbeAgeMs, OLDEST_MS, PRECISION, type Probe, YOUNGEST_MS } from './lag-search.ts'

/** A partition as the broker sees it: offsets with ages, the oldest first. */
type PartitionLog = { readonly offset: number; readonly ageMs: number }[]

/** Kafka's ListOffsets by timestamp. */
function firstNotOlder(log: PartitionLog, ageMs: number): number {
  return log.find((message) => message.ageMs <= ageMs)?.offset ?? log.at(-1)!.offset + 1
}

function search(logs: ReadonlyMap<number, PartitionLog>, positions: ReadonlyMap<number, number>): Probe[] {
  const probes: Probe[] = []
  for (;;) {
    const ageMs = nextProbeAgeMs(positions, probes)
    if (ageMs === undefined) return probes
    const offsets = [...logs].map(([partition, log]) => [partition, firstNotOlder(log, ageMs)] as const)
    probes.push({ ageMs, offsets: new Map(offsets) })
    expect(probes.length).toBeLessThan(12 * positions.size + 2)
  }
}

const age = fc
  .double({ min: Math.log(1), max: Math.log(OLDEST_MS), noNaN: true })
  .map((log) => Math.floor(Math.exp(log)))
const partitionLog = fc
  .array(age, { minLength: 1, maxLength: 30 })
  .map((ages) => ages.sort((a, b) => b - a).map((ageMs, offset) => ({ offset: offset + 100, ageMs })))

test('the age of the message at a position is told, at most a tenth too high', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(partitionLog, fc.nat()), { minLength: 1, maxLength: 4 }), (drawn) => {
      const logs = new Map(drawn.map(([log], partition) => [partition, log]))
      const at = drawn.map(([log, pick]) => log[pick % log.length]!)
      const positions = new Map(at.map(({ offset }, partition) => [partition, offset]))
      const probes = search(logs, positions)
      for (const [partition, message] of at.entries()) {
        const told = ageMs(partition, message.offset, probes)
        if (message.ageMs > YOUNGEST_MS * PRECISION) expect(told).toBeGreaterThanOrEqual(message.ageMs)
        expect(told).toBeLessThanOrEqual(Math.max(message.ageMs, YOUNGEST_MS) * PRECISION)
      }
    }),
  )
})

test('a position whose message was compacted away is told too old rather than too young', () => {
  const log = new Map([
    [
      0,
      [
        { offset: 0, ageMs: 50_000 },
        { offset: 9, ageMs: 1_000 },
      ],
    ],
  ])
  const probes = search(log, new Map([[0, 5]]))
  expect(ageMs(0, 5, probes)).toBeGreaterThanOrEqual(50_000)
  expect(ageMs(0, 5, probes)).toBeLessThanOrEqual(50_000 * PRECISION)
})

test('a reader at a beginning that was compacted away is as far behind as the first message left', () => {
  const probes = search(new Map([[0, [{ offset: 9, ageMs: 1_000 }]]]), new Map([[0, 0]]))
  expect(ageMs(0, 0, probes)).toBeGreaterThanOrEqual(1_000)
  expect(ageMs(0, 0, probes)).toBeLessThanOrEqual(1_000 * PRECISION)
})

test('many partitions that are equally far behind cost hardly more questions than one', () => {
  const log = Array.from({ length: 100 }, (_, i) => ({ offset: i, ageMs: 100_000 - i * 1_000 }))
  const positions = new Map(Array.from({ length: 50 }, (_, partition) => [partition, 40]))
  const logs = new Map(Array.from({ length: 50 }, (_, partition) => [partition, log]))
  expect(search(logs, positions).length).toBeLessThan(12)
})

test('nobody behind, nothing asked', () => {
  expect(nextProbeAgeMs(new Map(), [])).toBeUndefined()
})
