import { golden } from '@freshet/records/golden/golden.kit.ts'
import { describe, expect, test } from 'vitest'
import { demoBundle, edited } from './bundles.kit.ts'
import { encodeModelSpec, parseModelSpec } from './spec.ts'

const { spec } = await demoBundle()

test('a spec survives being written and read', () => {
  expect(parseModelSpec(encodeModelSpec(spec))).toEqual(spec)
})

test('model.json of format version 1 is read as it ever was, and keeps its bytes', () => {
  const text = golden('model-spec.v1.txt').toString()
  const { inputs, outputs, ...rest } = parseModelSpec(text)
  expect(inputs.tensor).toBeUndefined()
  expect(inputs.columns).toEqual(FROZEN_COLUMNS)
  expect(outputs).toEqual(FROZEN_OUTPUTS)
  expect(rest).toEqual(FROZEN)
  expect(encodeModelSpec(parseModelSpec(text))).toBe(`${text}\n`)
})

/** What golden/model-spec.v1.txt says: a column of each type, an output of each kind. */
const FROZEN_COLUMNS = [
  {
    ...{ name: 'delay', path: '/dep~1delay', type: 'number', default: -100 },
    ...{ clip: [-60, 600], log: 'log1p', scale: { mean: 2, deviation: 0.5 } },
    training: { min: -20, max: 900.5, mean: 12.25, missing: 0.01 },
  },
  { name: 'distance', path: '/distance', type: 'number', required: true },
  { name: 'night', path: '/is/night', type: 'boolean', default: 0 },
  {
    ...{ name: 'carrier', path: '/carrier', type: 'category', required: true },
    ...{ categories: ['AA', 'Änder'], unknown: -1 },
  },
  {
    ...{ name: 'hour', path: '/scheduled', type: 'time', required: true },
    ...{ part: 'minuteOfDay', timeZone: 'America/New_York' },
  },
  { name: 'tail', path: '/tail', type: 'text', default: '' },
]
const FROZEN_OUTPUTS = [
  { name: 'minutes', tensor: 'variable', column: 0 },
  { name: 'late', tensor: 'probabilities', class: 'late', whenNotFinite: 'dead-letter' },
  { name: 'band', tensor: 'bands', column: 2, whenNotFinite: -1 },
]
const FROZEN = {
  ...{ formatVersion: 1, name: 'arrival-delay', version: '3-rc.1' },
  sha256: '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752',
  golden: { tolerance: 0.0001 },
  evaluation: { mae: 7.5, note: 'held out: December' },
}

test('columns with tensors of their own may be text, and hold what no float32 does', () => {
  const columns = [
    { name: 'word', path: '/word', type: 'text', default: '' },
    { name: 'id', path: '/id', type: 'number', default: 2 ** 53 - 1 },
    {
      name: 'price',
      path: '/price',
      type: 'number',
      required: true,
      clip: [0, 100],
      log: 'log1p',
      scale: { mean: 2, deviation: 0.5 },
      training: { min: 0, max: 90, mean: 7, missing: 0 },
    },
  ]
  expect(parseModelSpec(JSON.stringify({ ...spec, inputs: { columns } })).inputs).toEqual({ columns })
})

test('an output is a column, the first where nothing is said, or a class', () => {
  const outputs = [
    { name: 'a', tensor: 'p' },
    { name: 'b', tensor: 'p', column: 1, whenNotFinite: 'dead-letter' },
    { name: 'c', tensor: 'p', class: 'late', whenNotFinite: -1 },
    { name: 'd', tensor: 'p', class: 1 },
  ]
  expect(parseModelSpec(JSON.stringify({ ...spec, outputs })).outputs).toEqual([
    { ...outputs[0], column: 0 },
    ...outputs.slice(1),
  ])
})

describe('a mistake in model.json is refused with its path', () => {
  test.each<[string, unknown, string]>([
    ['formatVersion', 2, 'formatVersion'],
    ['version', '1/2', 'version'],
    ['sha256', 'abc', 'sha256'],
    ['inputs.columns.0.path', 'dep_delay', 'inputs.columns.0.path'],
    ['inputs.columns.0.default', undefined, 'inputs.columns.0: either required: true or a default'],
    ['inputs.columns.1.default', 3, 'inputs.columns.1: either required: true or a default'],
    ['inputs.columns.0.default', 1e39, 'inputs.columns.0.default'],
    ['inputs.columns.0.type', 'tensor', 'inputs.columns.0.type'],
    ['inputs.columns.0.name', 'distance', 'inputs.columns: a column name stands twice'],
    ['inputs.columns.3.categories.1', 'AS', 'inputs.columns.3.categories: a category stands twice'],
    ['inputs.columns.6.timeZone', 'Mars/Olympus', 'inputs.columns.6.timeZone'],
    ['inputs.columns.0.defalt', 3, 'inputs.columns.0: Unrecognized key'],
    ['inputs.columns.0.clip', [3, 1], 'inputs.columns.0.clip: the lower bound first'],
    ['inputs.columns.0.scale', { mean: 0, deviation: 0 }, 'inputs.columns.0.scale.deviation'],
    ['inputs.columns.0.training', { missing: 2 }, 'inputs.columns.0.training.missing'],
    ['inputs.columns.3.unknown', 1e39, 'inputs.columns.3.unknown: outside float32'],
    [
      'inputs.columns.0',
      { name: 'word', path: '/word', type: 'text', default: '' },
      'inputs.columns.0.type: text needs a tensor of its own',
    ],
    ['outputs.0.class', 'late', 'outputs.0: either a column or a class'],
    ['outputs.0.whenNotFinite', 'ignore', 'outputs.0.whenNotFinite'],
    ['outputs', [], 'outputs'],
    ['outputs.0.name', '7', 'outputs.0.name: a number is no name'],
    ['outputs.0.name', 'seq_no', 'outputs.0.name: snapshots have a column of that name'],
    ['outputs.0.name', 'Key', 'outputs.0.name: snapshots have a column of that name'],
  ])('%s', (path, value, message) => {
    const text = JSON.stringify(edited(spec, path, value))
    expect(() => parseModelSpec(text)).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }))
    expect(() => parseModelSpec(text)).toThrow(`model.json: ${message}`)
  })

  test('text that is not JSON', () => {
    expect(() => parseModelSpec('{')).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }))
  })
})
