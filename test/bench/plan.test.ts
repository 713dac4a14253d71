import { expect, test } from 'vitest'
import { ENTRIES } from './figures.ts'
import { expectedSeconds, readPlan } from './plan.ts'

function names(...args: readonly string[]): readonly string[] {
  const plan = readPlan(args)
  if (plan.kind !== 'measure') throw new Error(`a plan to ${plan.kind}`)
  return plan.entries.map(({ figure }) => figure.name)
}

const PEERS = ['infer-against-streams', 'lookups-against-feast', 'predict-against-fastapi']

test('without an argument everything is measured, peers too', () => {
  expect(names()).toEqual(ENTRIES.map(({ figure }) => figure.name))
  expect(names()).toEqual(expect.arrayContaining(PEERS))
})

test('some are measured in the order of the path, whatever the order they are named in', () => {
  expect(names('infer', 'capture')).toEqual(['capture', 'infer'])
  expect(names('--peers')).toEqual(PEERS)
  expect(names('infer', '--peers')).toEqual(['infer', ...PEERS])
  expect(names('--no-peers')).toHaveLength(ENTRIES.length - PEERS.length)
})

test('what nobody can mean is refused before any server is started', () => {
  expect(() => readPlan(['no-such'])).toThrow(/no figure is called no-such; there are capture,/)
  expect(() => readPlan(['--rounds', '0'])).toThrow(/--rounds wants a whole number from 1/)
  expect(() => readPlan(['--peers', '--no-peers'])).toThrow(/exclude each other/)
  expect(() => readPlan(['--fast'])).toThrow(/--fast/)
})

test('fewer rounds than a figure takes are not recorded', () => {
  expect(() => readPlan(['infer', '--rounds', '4', '--record'])).toThrow(/a look, not a record, for infer/)
  expect(readPlan(['infer', '--rounds', '5', '--record'])).toMatchObject({ record: true, rounds: 5 })
  expect(readPlan(['infer', '--rounds', '4'])).toMatchObject({ record: false })
})

test('a figure is expected to take as long as it last took', () => {
  const entry = ENTRIES.find(({ figure }) => figure.name === 'infer')!
  const records = { machines: {}, newest: [], earlier: [] }
  expect(expectedSeconds(entry, records)).toBe(entry.aboutSeconds)
  const last = { figure: 'infer', tookSeconds: 33 } as never
  expect(expectedSeconds(entry, { ...records, newest: [last] })).toBe(33)
})
