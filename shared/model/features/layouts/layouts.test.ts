/**
 * Proved: whatever bytes come, and whatever came before them, a row that is read out of the bytes is the row, or the
 * problem, of the document that JSON.parse makes of them; counts too.
 */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Column } from '../../bundle/spec.ts'
import type { ElementType } from '../../onnx/graph.ts'
import { compileColumns, type RowProblem, type RowWriter } from '../columns.ts'
import { jsonBytes, Layouts } from './layouts.ts'
import { Scalars } from './scalars.ts'

const TEXTS = ['AA', 'Zürich', 'a"b', '\ufffd', '']
const columns: Column[] = [
  { name: 'n', path: '/n', type: 'number', default: -1 },
  { name: 'log', path: '/n', type: 'number', log: 'log1p', default: 0 },
  { name: 'deep', path: '/deep/n', type: 'number', default: 7 },
  { name: 'second', path: '/list/1', type: 'number', default: 8 },
  { name: 'flag', path: '/flag', type: 'boolean', default: 0 },
  { name: 'kind', path: '/kind', type: 'category', categories: TEXTS, unknown: -9, default: -8 },
  { name: 'plain', path: '/kind', type: 'category', categories: ['AA', 'Zürich'], unknown: -9, default: -8 },
  { name: 'hour', path: '/at', type: 'time', part: 'hour', timeZone: 'UTC', default: -1 },
  { name: 'own', path: '/constructor', type: 'number', default: 3 },
]
const tensors: readonly { columns: Column[]; elements?: ElementType[] }[] = [
  { columns },
  {
    columns: [...columns, { name: 'text', path: '/kind', type: 'text', default: 'none' }],
    elements: [...columns.map(() => 'float64' as const), 'string'],
  },
]

/** Numbers as JSON writes them, and as it does not. */
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.integer().map(String),
  fc.tuple(fc.maxSafeNat(), fc.nat(10 ** 9)).map(([whole, fraction]) => `${whole}.${fraction}`),
  fc.tuple(fc.nat(99), fc.integer({ min: -400, max: 400 })).map(([whole, power]) => `-${whole}e${power}`),
  fc.constantFrom(
    '-0',
    '0.0',
    '1E+2',
    '0.1',
    '123456789012345678901234',
    '1e999',
    '01',
    '1.',
    '.5',
    '-',
    '+1',
    'NaN',
  ),
)
const string = fc.oneof(
  fc
    .constantFrom(...TEXTS, '2013-12-01T21:10:00Z', '2013-12-01', 'other')
    .map((text) => JSON.stringify(text)),
  fc.string({ unit: 'binary', maxLength: 6 }).map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\u0041A"', '"\\ud800"', '"\\x"', '"\\u12"', '"a\nb"', '"open'),
)
const scalar = fc.oneof(number, string, fc.constantFrom('true', 'false', 'null', 'nul', 'undefined'))
const value = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 1, arbitrary: fc.constantFrom('{}', '[]', '{"n":1}', '[[1],{"n":2}]') },
)
const names = ['n', 'deep', 'list', 'flag', 'kind', 'at', 'constructor', '__proto__', 'other', 'k\\u0069nd']
const space = fc.constantFrom('', '', '', ' ', '\n')

const field = fc.record({
  name: fc.constantFrom(...names),
  value: fc.oneof(
    value,
    scalar.map((inner) => `{"n":${inner},"m":1}`),
    fc.array(scalar, { maxLength: 3 }).map((all) => `[${all.join(',')}]`),
  ),
  space,
})
const document = fc
  .tuple(fc.array(field, { maxLength: 6 }), space)
  .map(([fields, end]) =>
    Buffer.from(`{${fields.map((one) => `${one.space}"${one.name}":${one.value}`).join(',')}}${end}`),
  )

/** A byte less, more, or another. */
interface Change {
  readonly which: number
  readonly place: number
  readonly byte: number
  readonly how: number
}
const change: fc.Arbitrary<Change> = fc.record({
  which: fc.nat(),
  place: fc.nat(),
  byte: fc.nat(255),
  how: fc.nat(2),
})
function broken(documents: readonly Buffer[], { which, place, byte, how }: Change) {
  const bytes = documents[which % documents.length]!
  const at = place % (bytes.length + 1)
  const behind = bytes.subarray(how === 0 ? at : at + 1)
  return Buffer.concat([bytes.subarray(0, at), how === 2 ? Buffer.alloc(0) : Buffer.from([byte]), behind])
}
const documents = fc
  .tuple(fc.array(document, { minLength: 1, maxLength: 6 }), fc.array(change, { maxLength: 12 }))
  .map(([whole, changes]) => ({ whole, broken: changes.map((one) => broken(whole, one)) }))

function rowOf(writer: RowWriter, write: (into: ReturnType<RowWriter['allocate']>) => RowProblem | null) {
  const into = writer.allocate(1)
  return write(into) ?? [...into.numbers, ...into.texts]
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

describe('rows read out of bytes', () => {
  test.each(tensors)('are those of the parsed document', ({ columns: wanted, elements }) => {
    fc.assert(
      fc.property(documents, ({ whole, broken }) => {
        const [reading, parsing] = [compileColumns(wanted, elements), compileColumns(wanted, elements)]
        // Each twice: the first time the layout is learnt.
        for (const bytes of [...whole, ...whole, ...broken, ...broken]) {
          const padded = Buffer.concat([Buffer.from('}"1'), bytes, Buffer.from('1"}')])
          const found = rowOf(reading, (into) =>
            reading.writeBytes(jsonBytes(padded), 3, 3 + bytes.length, into, 0),
          )
          expect(found).toEqual(rowOf(parsing, (into) => parsing.write(parse(bytes), into, 0)))
        }
        for (const [at, { sum, ...counts }] of reading.counts().entries()) {
          const { sum: wantedSum, ...wantedCounts } = parsing.counts()[at]!
          expect(counts).toEqual(wantedCounts)
          if (Number.isFinite(wantedSum)) expect(Math.fround(sum)).toBeCloseTo(Math.fround(wantedSum), -33)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('no layout is matched by a text that JSON.parse refuses', () => {
    fc.assert(
      fc.property(documents, ({ whole, broken }) => {
        const layouts = new Layouts([])
        for (const one of whole) if (parse(one) !== undefined) layouts.learn(jsonBytes(one), 0, one.length)
        for (const bytes of broken) {
          const isMatched = layouts.match(jsonBytes(bytes), 0, bytes.length, new Scalars()) !== null
          if (isMatched) expect(parse(bytes)).toBeTypeOf('object')
        }
      }),
      { numRuns: 3_000 },
    )
  })

  test('a document of a known layout is not parsed, with other values, and among other bytes', () => {
    const layouts = new Layouts([(root) => (root as { b: unknown }).b])
    const learnt = Buffer.from('{"a":1,"b":"x","c":[true,{"d":null}]}')
    layouts.learn(jsonBytes(learnt), 0, learnt.length)
    const scalars = new Scalars()
    const match = (text: string) =>
      layouts.match(jsonBytes(Buffer.from(`##${text}##`)), 2, 2 + text.length, scalars)?.places
    expect(match('{"a":"other","b":-1.5e3,"c":[0,{"d":"\\n"}]}')).toEqual(Int16Array.of(1))
    expect(match('{"a":1,"c":"x"}')).toBeUndefined()
    expect(match('{"a":1,"b":"x","c":[true,{"d":null}]')).toBeUndefined()
    expect(match('{"a":1,"b":{},"c":[true,{"d":null}]}')).toBeUndefined()
  })

  test('what no document has in common with another is given up, and looked at again later', () => {
    const layouts = new Layouts([])
    const scalars = new Scalars()
    const see = (text: string) => {
      const bytes = Buffer.from(text)
      const isKnown = layouts.match(jsonBytes(bytes), 0, bytes.length, scalars) !== null
      if (!isKnown) layouts.learn(jsonBytes(bytes), 0, bytes.length)
      return isKnown
    }
    for (let i = 0; i < 2_000; i++) see(`{"${i}":1}`)
    see('{"a":1}')
    expect(see('{"a":1}')).toBe(false)
    for (let i = 0; i < 65_536; i++) see('{"a":1}')
    expect(see('{"a":1}')).toBe(true)
  })
})
