import { compileColumns } from '@freshet/model/features/columns.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { expect, test } from 'vitest'
import { DriftWatch } from './drift-watch.ts'

function modelOf(generation: number) {
  const writer = compileColumns([
    { name: 'a', path: '/a', type: 'number', default: 0 },
    { name: 'c', path: '/c', type: 'category', categories: ['x'], unknown: 9, required: true },
  ])
  const features = writer.allocate(1)
  return {
    identity: { name: 'delay', version: '1', generation },
    label: 'delay@1',
    writer,
    goldenScores: new Map([['score', Array.from({ length: 200 }, (_, i) => i)]]),
    write: (document: object) => void writer.write(document, features, 0),
  }
}

function begin() {
  const metrics = new Metrics()
  const warnings: string[] = []
  const log = { ...quietLog, warn: (message: string) => void warnings.push(message) }
  const watch = new DriftWatch({ telemetry: { metrics, log }, clock: handClock() })
  const told = () => {
    watch.tell()
    const drift = Object.entries(metrics.values()).filter(([name]) => name.startsWith('freshet.drift.'))
    return Object.fromEntries(drift.map(([name, value]) => [name.slice('freshet.drift.'.length), value]))
  }
  return { watch, told, warnings }
}

const noScores = [new Float64Array(0)]
const high = [new Float64Array(2_000).fill(1_000)]

test('columns and scores are told as metrics, and what is not known is not told', () => {
  const { watch, told } = begin()
  expect(told()).toEqual({ rows: 0 })
  const model = modelOf(1)
  watch.scored(model, noScores)
  model.write({ a: 4, c: 'x' })
  model.write({ c: 'y' })
  expect(told()).toEqual({
    rows: 2,
    'mean.a': 4,
    'mean.c': 4.5,
    'missing.a': 0.5,
    'missing.c': 0,
    'unknown.c': 0.5,
  })
})

test('scores that drifted are told in the log, once while they stay so', () => {
  const { watch, told, warnings } = begin()
  watch.scored(modelOf(1), high)
  expect(told()['psi.score']).toBeGreaterThan(0.25)
  told()
  expect(warnings).toEqual([
    expect.stringMatching(/^the scores of delay@1 no longer fall .* of score is \d\.\d\d$/),
  ])
})

test('another promotion begins anew, and what the older one still scores says nothing', () => {
  const { watch, told } = begin()
  const [older, newer] = [modelOf(1), modelOf(2)]
  watch.scored(older, high)
  watch.scored(newer, noScores)
  watch.scored(older, high)
  older.write({ a: 4, c: 'x' })
  expect(told()).toEqual({ rows: 0 })
})
