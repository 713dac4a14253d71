import { settingsSchema } from '@freshet/config/schema.ts'
import { expect, test } from 'vitest'
import { telemetryConcerns } from './telemetry-concerns.ts'

const concernsOf = (settings: object) => telemetryConcerns(settingsSchema.parse(settings))

test('telemetry that is written with the key of the documents is told, with the way out', () => {
  expect(concernsOf({ elasticsearch: { apiKey: 'a' } })).toEqual([
    expect.stringMatching(/written with elasticsearch\.apiKey.*set telemetry\.url/),
  ])
})

test('a key of telemetry that nobody uses is told', () => {
  expect(concernsOf({ elasticsearch: { apiKey: 'a' }, telemetry: { apiKey: 'b' } })).toEqual([
    expect.stringMatching(/telemetry\.apiKey is not used/),
  ])
})

test('a key of its own, no keys at all, or no telemetry are no concern', () => {
  const url = 'http://127.0.0.1:9200'
  expect(concernsOf({ elasticsearch: { apiKey: 'a' }, telemetry: { url, apiKey: 'b' } })).toEqual([])
  expect(concernsOf({})).toEqual([])
  expect(concernsOf({ elasticsearch: { apiKey: 'a' }, telemetry: { enabled: false } })).toEqual([])
})
