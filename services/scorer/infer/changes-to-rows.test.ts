import { Buffer } from 'node:buffer'
import { compileColumns } from '@freshet/model/features/columns.ts'
import { CHANGE_HEADER, encodeChangeHeader, type TraceContext } from '@freshet/records/change.ts'
import { keyAt, stateAt } from '@freshet/records/score-batch.ts'
import { describe, expect, test } from 'vitest'
import type { ChangeMessage } from './change-message.ts'
import { changesToRows } from './changes-to-rows.ts'

const writer = compileColumns([
  { name: 'distance', path: '/distance', type: 'number', required: true },
  { name: 'stops', path: '/stops', type: 'number', default: 0 },
])

const page: TraceContext = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }

function change(offset: number, source: string | null, trace: TraceContext | null = null): ChangeMessage {
  const key = Buffer.from(`flights/${offset}`)
  const value = source === null ? null : Buffer.from(source)
  const revision = { documentVersion: 0, epoch: 1_764_000_000_000, primaryTerm: 1, seqNo: offset }
  const header = encodeChangeHeader({ key, revision, capturedAtMs: 1_000 + offset, source: value, trace })
  return { offset, key, value, headers: { [CHANGE_HEADER]: header } }
}

describe('changes become rows', () => {
  test('with the keys, revisions and positions that they came with', () => {
    const { rows, fromOffset, toOffset } = changesToRows(
      [change(40, '{"distance":1}'), change(43, '{"distance":2}')],
      writer,
    )
    expect([fromOffset, toOffset]).toEqual([40, 43])
    expect([0, 1].map((row) => keyAt(rows, row).toString())).toEqual(['flights/40', 'flights/43'])
    expect([...rows.seqNos]).toEqual([40, 43])
    expect([...rows.epochs]).toEqual([1_764_000_000_000, 1_764_000_000_000])
    expect([...rows.asOfMs]).toEqual([1_040, 1_043])
  })

  test('and a poison document among good ones is set aside without touching them', () => {
    const { rows, features, scorable, dead } = changesToRows(
      [
        change(1, '{"distance":10,"stops":1}'),
        change(2, '{"distance":'),
        change(3, null),
        change(4, '{"stops":2}'),
        change(5, '{"distance":50}'),
      ],
      writer,
    )
    expect([features.rows, ...features.numbers]).toEqual([2, 10, 1, 50, 0])
    expect([...scorable]).toEqual([0, 4])
    expect([0, 1, 2, 3, 4].map((row) => stateAt(rows, row))).toEqual([
      'scored',
      'unscorable',
      'deleted',
      'unscorable',
      'scored',
    ])
    expect(dead).toMatchObject([
      { code: 'DOCUMENT_NOT_JSON', at: null, message: { offset: 2 } },
      { code: 'FIELD_MISSING', at: '/distance', message: { offset: 4 } },
    ])
  })

  test.each([
    ['without its header', { ...change(2, '{"distance":2}'), headers: {} }],
    ['without a key', { ...change(2, '{"distance":2}'), key: null }],
    ['whose value was lost', { ...change(2, '{"distance":2}'), value: null }],
  ])('except one %s, which dies without a row', (_, broken) => {
    const { rows, dead, toOffset } = changesToRows([change(1, '{"distance":1}'), broken], writer)
    expect(rows.count).toBe(1)
    expect(dead).toMatchObject([{ code: 'RECORD_MALFORMED', message: { offset: 2 } }])
    expect(toOffset).toBe(2)
  })

  test('but a change of a newer poller stops the scorer instead of dying', () => {
    const newer = change(2, '{"distance":2}')
    newer.headers[CHANGE_HEADER]![0] = 2
    expect(() => changesToRows([change(1, '{"distance":1}'), newer], writer)).toThrow(
      expect.objectContaining({ code: 'RECORD_VERSION' }),
    )
  })

  test('and remember the spans that produced them, each once where they stand together', () => {
    const other = { ...page, spanId: 'c'.repeat(16) }
    const traces = [page, page, null, other, page]
    const { origins } = changesToRows(
      traces.map((trace, at) => change(at, '{}', trace)),
      writer,
    )
    expect(origins).toEqual([page, other, page])
  })
})
