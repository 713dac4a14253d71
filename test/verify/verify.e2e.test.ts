import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { edited } from '@freshet/model/bundle/bundles.kit.ts'
import { POINTER_OBJECT } from '@freshet/model/bundle/model-pointer.ts'
import { promoteAgain, promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import { expect, test } from 'vitest'
import { freshet } from '../freshet.ts'
import { Stack } from '../stack.ts'
import { until } from '../until.ts'
import { captured, some, verify } from './verify-run.ts'

test('of a pipeline that is well, verify proves it and ends with 0; what was set aside is told with its reason', async () => {
  await using stack = await Stack.open()
  stack.start('poller', 'scorer')
  await stack.write({ ...some(50), poison: { carrier: 'UA', note: 'no distance, no schedule' } })
  await stack.conserved()
  const { code, report, total } = await verify(stack)
  expect(total).toMatchObject({ live: 51, scored: 50, setAside: 1, missing: 0, stale: 0, extra: 0 })
  expect(report).toMatchObject({ isSettled: true, unreadable: [], repair: null })
  expect(report.findings).toMatchObject([
    { kind: 'setAside', key: `${stack.index}/poison`, reason: expect.stringMatching(/^FIELD_MISSING: /) },
  ])
  expect(code).toBe(0)

  await stack.stop('scorer')
  const newer = edited(stack.bundle, 'spec.version', '2')
  await pushModel(stack.store, newer)
  await promoteModel(stack.store, newer.spec, Date.now())
  const told = await freshet(['verify'], stack.env)
  expect(told.stdout).toContain(
    'complete: 51 live, 0 scored at their current revision by arrival-delay@2, 50 by an older model, 1 set aside',
  )
  expect(told.code).toBe(0)
}, 240_000)

test('scores above a pointer that was put back fail the proof, and the command that it names outranks them', async () => {
  await using stack = await Stack.open()
  const { body } = await stack.store.get(POINTER_OBJECT)
  const { generation } = await promoteAgain(stack.store, undefined, Date.now(), { above: 7 })
  expect(generation).toBe(8)
  stack.start('poller', 'scorer')
  await stack.write(some(10))
  await stack.conserved()
  await stack.store.put(POINTER_OBJECT, body)
  const { code, report, total } = await verify(stack)
  expect(total).toMatchObject({ live: 10, scored: 0, newerModel: 10 })
  expect(report).toMatchObject({ model: { generation: 1 }, newestGeneration: 8 })
  expect(code).toBe(1)

  const words = /`freshet (model promote --again --above 8)`/.exec(
    (await freshet(['verify'], stack.env)).stdout,
  )
  const promoted = await freshet(['--json', ...words![1]!.split(' ')], stack.env)
  expect(JSON.parse(promoted.stdout)).toMatchObject({ generation: 9 })
  await until('all is scored anew', async () => {
    const now = await verify(stack)
    return now.code === 0 && now.total.scored === 10
  })
}, 240_000)

test('what the poller has not come to is pending, not missing, and the proof fails', async () => {
  await using stack = await Stack.open()
  stack.start('poller', 'scorer')
  await stack.write(some(10))
  await stack.conserved()
  await stack.stop('poller')
  await stack.write(some(3, 10))
  const { code, total } = await verify(stack, '--wait', '1')
  expect(total).toMatchObject({ live: 13, scored: 10, pending: 3, missing: 0 })
  expect(code).toBe(1)
}, 240_000)

test('what was emitted and never scored is missing by name, and nobody is told to emit what is on its way', async () => {
  await using stack = await Stack.open()
  stack.start('poller')
  await stack.write(some(10))
  await captured(stack, 10)
  const { code, report, total } = await verify(stack, '--wait', '1', '--repair')
  expect(total).toMatchObject({ live: 10, scored: 0, missing: 10 })
  expect(report.findings.map(({ key }) => key).sort()).toEqual(
    Object.keys(some(10))
      .map((id) => `${stack.index}/${id}`)
      .sort(),
  )
  expect(report).toMatchObject({ isSettled: false, repair: { emitted: 0, tombstones: 0 } })
  expect(code).toBe(1)
}, 240_000)

test('a delete that the next sweep will find is waited for, not reported', async () => {
  await using stack = await Stack.open({ FRESHET_SWEEP_PAUSE_SECONDS: '1' })
  stack.start('poller', 'scorer')
  await stack.write(some(10))
  await stack.conserved()
  for (const id of Object.keys(some(2))) await stack.client.delete({ index: stack.index, id })
  const { code, report, total } = await verify(stack, '--wait', '60')
  expect(total, JSON.stringify({ report, output: stack.output })).toMatchObject({
    live: 8,
    scored: 8,
    extra: 0,
  })
  expect(code).toBe(0)
}, 320_000)

test('where no index is left, those that were are told as gone, as where others are left', async () => {
  await using stack = await Stack.open()
  stack.start('poller', 'scorer')
  await stack.write(some(3))
  await stack.conserved()
  await stack.stop('poller')
  await stack.client.indices.delete({ index: stack.index })
  const { report, total } = await verify(stack, '--wait', '1')
  expect(report).toMatchObject({ gone: [stack.index], shards: [], unreadable: [] })
  expect(total).toMatchObject({ live: 0, missing: 0 })
}, 240_000)
