import { describe, expect, test } from 'vitest'
import { demoBundle, edited } from './bundles.kit.ts'
import { encodeModelSpec, parseModelSpec } from './spec.ts'

const { spec } = await demoBundle()

test('a spec survives being written and read', () => {
  expect(parseModelSpec(encodeModelSpec(spec))).toEqual(spec)
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
