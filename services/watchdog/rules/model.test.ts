import type { InstanceFacts } from '@freshet/records/facts.ts'
import { expect, test } from 'vitest'
import { facts, failingInstance, findings, group, instance, partition, withInstances } from './facts.kit.ts'

const HASH = 'MODEL_HASH: other bytes'
const found = (...instances: InstanceFacts[]) => findings(facts({ instances: withInstances(...instances) }))

test('a refused model is told once, of whoever refuses it, with what serves meanwhile', () => {
  const refusing = [
    failingInstance('scorer-1', 'model', HASH, { model: 'delay@3' }),
    failingInstance('gateway-1', 'model of worker 2', HASH, { model: 'delay@3' }),
  ]
  expect(found(...refusing)).toMatchObject([
    {
      id: 'model-refused',
      title: 'the promoted model delay@4 cannot be used',
      details: { Error: HASH, 'Refused by': 'scorer-1, gateway-1', 'In use': 'delay@3' },
      advice: {
        effect: expect.stringContaining('the model of before'),
        firstLook: expect.stringContaining('push the same folder again'),
      },
    },
  ])
})

test('where no model was before, what is not scored for it follows from it', () => {
  const groups = [group('infer', { partitions: [partition({ lagSeconds: 90, lagRecords: 3 })] })]
  const instances = withInstances(failingInstance('scorer-1', 'model', HASH))
  expect(findings(facts({ instances, groups }))).toMatchObject([
    { id: 'model-refused', advice: { effect: expect.stringContaining('nothing new is scored') } },
    { id: 'lag/air-infer', causedBy: 'model-refused' },
  ])
})

test('an S3 that is away is not the model’s fault', () => {
  expect(found(failingInstance('scorer-1', 'model', 'S3_UNREACHABLE: gone')).map(({ id }) => id)).toEqual([
    'unreachable/s3',
  ])
})

test('scores that have drifted are told by output, with the model and how many documents say so', () => {
  const metrics = {
    'freshet.drift.psi.delay': 0.41,
    'freshet.drift.psi.risk': 0.1,
    'freshet.drift.rows': 12_000,
  }
  expect(found(instance('scorer-1', { metrics, model: 'delay@4' }))).toMatchObject([
    {
      id: 'drift/delay',
      severity: 'warning',
      forSeconds: 300,
      title: 'the scores of delay have drifted: a stability index of 0.41',
      details: { Model: 'delay@4', 'Documents of the last hour': '12,000' },
      measure: { value: 0.41, unit: 'PSI', threshold: 0.25 },
    },
  ])
})

test('verify found missing scores: told with its figures until a later look finds none', () => {
  const verify = (missing: number, worse = {}) => {
    const metrics = {
      'freshet.verify.ended': 1,
      'freshet.verify.missing': missing,
      'freshet.verify.live': 48_000,
      ...worse,
    }
    return instance('verify-1', { metrics })
  }
  expect(found(verify(1_200))).toMatchObject([
    {
      id: 'verify-failed',
      title: '1,200 scores are missing, stale or extra',
      details: { Missing: '1,200', 'Living documents': '48,000', 'Found by': 'verify-1' },
    },
  ])
  expect(found(verify(0))).toEqual([])
  expect(found(verify(3, { 'freshet.verify.ended': 0 }))).toEqual([])
  expect(found({ ...verify(3), heartbeat: { ...verify(3).heartbeat, status: 'stopping' } })).toEqual([])
})

test('a run of once that failed is told until one is well', () => {
  const failed = failingInstance('once-1', 'once', 'DEADLINE: not reached', { startedAtMs: 1 })
  expect(found(failed)).toMatchObject([
    { id: 'once', kind: 'once', details: { Error: 'DEADLINE: not reached' } },
  ])
  expect(found(failed, instance('once-2', { startedAtMs: 2, status: 'stopping' }))).toEqual([])
})
