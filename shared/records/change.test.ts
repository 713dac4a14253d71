import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Change, decodeChange, encodeChangeHeader } from './change.ts'
import { golden } from './golden/golden.kit.ts'
import { MOMENTS_END_MS } from './moment.ts'

const flight: Change = {
  key: Buffer.from('flights/AA-12'),
  revision: { documentVersion: 2 ** 40 + 7, epoch: 1_764_000_000_123, primaryTerm: 3, seqNo: 2 ** 33 + 5 },
  capturedAtMs: 1_764_000_001_456,
  source: Buffer.from('{"delay": 9007199254740993}'),
  trace: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' },
}

const safeInteger = fc.maxSafeNat()
const changes: fc.Arbitrary<Change> = fc.record({
  key: fc.uint8Array({ maxLength: 20 }).map(Buffer.from),
  revision: fc.record({
    documentVersion: safeInteger,
    epoch: fc.maxSafeNat().map((value) => value % 2 ** 48),
    primaryTerm: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    seqNo: safeInteger,
  }),
  capturedAtMs: fc.maxSafeNat().map((ms) => ms % MOMENTS_END_MS),
  source: fc.option(fc.uint8Array({ maxLength: 20 }).map(Buffer.from)),
  trace: fc.option(
    fc
      .record({ traceId: hexDigits(32), spanId: hexDigits(16) })
      .filter(({ traceId }) => !/^0+$/.test(traceId)),
  ),
})

function hexDigits(length: number): fc.Arbitrary<string> {
  return fc.string({ minLength: length, maxLength: length, unit: fc.constantFrom(...'0123456789abcdef') })
}

describe('a change', () => {
  test('of version 1 keeps its bytes', () => {
    const header = golden('change.v1.hex')
    expect(encodeChangeHeader(flight).toString('hex')).toBe(header.toString('hex'))
    expect(decodeChange(flight.key, header, flight.source)).toEqual(flight)
  })

  test('is read back as it was', () => {
    fc.assert(
      fc.property(changes, (change) => {
        expect(decodeChange(change.key, encodeChangeHeader(change), change.source)).toEqual(change)
      }),
    )
  })

  test('of another version is refused by name', () => {
    const header = encodeChangeHeader(flight)
    header[0] = 9
    expect(() => decodeChange(flight.key, header, flight.source)).toThrow(
      'change version 9, this build reads 1',
    )
  })

  test.each([
    ['without a header', undefined, flight.source],
    ['with half a header', encodeChangeHeader(flight).subarray(0, 40), flight.source],
    ['that is a delete by its value only', encodeChangeHeader(flight), null],
    ['whose epoch no rank has a place for', withByte(encodeChangeHeader(flight), 13, 1), flight.source],
    ['whose sequence number is not exact', withByte(encodeChangeHeader(flight), 24, 1), flight.source],
  ])('%s is malformed', (_, header, value) => {
    expect(() => decodeChange(flight.key, header, value)).toThrow(
      expect.objectContaining({ code: 'RECORD_MALFORMED' }),
    )
  })
})

function withByte(bytes: Buffer, at: number, value: number): Buffer {
  bytes[at] = value
  return bytes
}
