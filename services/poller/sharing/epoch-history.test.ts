import { expect, test } from 'vitest'
import { EpochHistory } from './epoch-history.ts'

function strangersOf(...records: readonly { epoch: number; deadEpochs: number[] }[]): readonly number[] {
  const history = new EpochHistory()
  for (const record of records) history.add(record)
  return history.strangers()
}

test('an epoch that the highest one has outlived is no stranger, also when it is buried and forgotten', () => {
  const first = { epoch: 100, deadEpochs: [] }
  const second = { epoch: 150, deadEpochs: [100] }
  expect(strangersOf(first, second, { epoch: 150, deadEpochs: [] })).toEqual([])
  expect(
    strangersOf(first, second, { epoch: 150, deadEpochs: [] }, { epoch: 200, deadEpochs: [150] }),
  ).toEqual([])
})

test('an epoch that a poller began late, unseen by the owner that is now above it, is one', () => {
  expect(
    strangersOf(
      { epoch: 100, deadEpochs: [] },
      { epoch: 160, deadEpochs: [100] },
      { epoch: 200, deadEpochs: [100] },
    ),
  ).toEqual([160])
  expect(strangersOf({ epoch: 200, deadEpochs: [100] }, { epoch: 160, deadEpochs: [90, 100] })).toEqual([
    90, 160,
  ])
})
