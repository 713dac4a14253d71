import { expect, test } from 'vitest'
import { Standing } from './standing.ts'

function looks(...seen: readonly [atMs: number, position: number, hasWork: boolean][]): number[] {
  const standing = new Standing()
  return seen.map(([atMs, position, hasWork]) => {
    const { standsSeconds } = standing.see('infer/0', { position, hasWork }, atMs)
    standing.lookEnds()
    return standsSeconds
  })
}

test('what has work and does not move stands, since it was first seen so', () => {
  expect(looks([0, 7, true], [5_000, 7, true], [10_000, 7, true])).toEqual([0, 5, 10])
})

test('a step, however small, begins anew', () => {
  expect(looks([0, 7, true], [5_000, 7, true], [10_000, 8, true], [15_000, 8, true])).toEqual([0, 5, 0, 5])
})

test('one without work does not stand still, however long it has been there when work comes', () => {
  expect(looks([0, 7, false], [500_000, 7, false], [505_000, 7, true], [510_000, 7, true])).toEqual([
    0, 0, 0, 5,
  ])
})

test('one that was out of sight is seen for the first time again', () => {
  const standing = new Standing()
  standing.see('infer/0', { position: 7, hasWork: true }, 0)
  standing.lookEnds()
  standing.lookEnds()
  expect(standing.see('infer/0', { position: 7, hasWork: true }, 9_000)).toEqual({
    standsSeconds: 0,
    stoodBefore: true,
  })
})

test('what stood at the first look may have stood for longer, until it has made a step', () => {
  const standing = new Standing()
  const stoodBefore = ([position, hasWork]: readonly [number, boolean], at: number) => {
    const stood = standing.see('infer/0', { position, hasWork }, at * 5_000)
    standing.lookEnds()
    return stood.stoodBefore === true
  }
  const looks = [
    [7, true],
    [7, true],
    [8, true],
    [8, true],
    [8, false],
    [8, true],
  ] as const
  expect(looks.map(stoodBefore)).toEqual([true, true, false, false, false, false])
})
