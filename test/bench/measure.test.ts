import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Sample } from './figure.ts'
import { measure, median } from './measure.ts'

const figure = { name: 'scripted', unit: 'rows/s' }

/** Gives the samples of a script, and writes down whose turn it was. */
function scripted({ ours, ...baselines }: { ours: Sample[]; [baseline: string]: Sample[] }) {
  const turns: string[] = []
  const play = (who: string, samples: Sample[]) => async () => {
    turns.push(who)
    return samples.shift()!
  }
  const bare = Object.fromEntries(
    Object.entries(baselines).map(([who, samples]) => [who, play(who, samples)]),
  )
  return { turns, bench: { ours: play('ours', ours), baselines: bare } }
}

function samples(...values: readonly number[]): Sample[] {
  return values.map((value) => ({ value, cpuMicrosPerRow: 1e6 / value }))
}

const options = (rounds: number) => ({ rounds, onRound: () => {}, signal: new AbortController().signal })

describe('a figure', () => {
  test('is the median of its rounds, beside the median of its baseline, so that one bad round changes nothing', async () => {
    const { bench } = scripted({
      ours: samples(100, 120, 1, 110, 115),
      bare: samples(200, 220, 210, 9_000, 215),
    })
    expect(await measure(figure, bench, options(5))).toEqual({
      figure: 'scripted',
      unit: 'rows/s',
      rounds: 5,
      value: 110,
      cpuMicrosPerRow: 9091,
      baseline: {
        value: 215,
        cpuMicrosPerRow: 4651,
        ratios: { value: 0.5, cpuMicrosPerRow: 2 },
        parts: { bare: { value: 215, cpuMicrosPerRow: 4651 } },
      },
      also: {},
    })
  })

  test('is compared round by round, so that what slows a whole round down has no part in the ratio', async () => {
    const waiting = (...p99s: readonly number[]) =>
      p99s.map((p99Ms) => ({ value: 1, cpuMicrosPerRow: 1, also: { p99Ms } }))
    const { bench } = scripted({ ours: waiting(90, 30, 66), bare: waiting(100, 33, 60) })
    const { also, baseline } = await measure(figure, bench, options(3))
    expect(also['p99Ms']).toBe(66)
    expect(baseline!.parts['bare']!.also).toEqual({ p99Ms: 60 })
    expect(baseline!.ratios['p99Ms']).toBe(0.9091)
  })

  test('whose baseline has parts is compared with the slowest of them, and costs as a multiple of all', async () => {
    const { bench } = scripted({
      ours: [{ value: 60, cpuMicrosPerRow: 9 }],
      read: [{ value: 200, cpuMicrosPerRow: 2 }],
      write: [{ value: 100, cpuMicrosPerRow: 4 }],
    })
    const { baseline } = await measure(figure, bench, options(1))
    const ratios = { value: 0.6, cpuMicrosPerRow: 1.5 }
    expect(baseline).toMatchObject({ value: 100, cpuMicrosPerRow: 6, ratios })
  })

  test('is no multiple of a baseline that does not grow', async () => {
    const { bench } = scripted({
      ours: [{ value: 0.7, cpuMicrosPerRow: 3 }],
      bare: [{ value: -0.1, cpuMicrosPerRow: 6 }],
    })
    const { baseline } = await measure(figure, bench, options(1))
    expect(baseline).toMatchObject({ value: -0.1 })
    expect(baseline!.ratios).toEqual({ cpuMicrosPerRow: 0.5 })
  })

  test('is measured in turns with its baselines, and the first turn changes hands', async () => {
    const { bench, turns } = scripted({ ours: samples(1, 2, 3), a: samples(1, 2, 3), b: samples(1, 2, 3) })
    await measure(figure, bench, options(3))
    expect(turns.join(' ')).toBe('ours a b a b ours b ours a')
  })

  test('without a baseline says null, and keeps what else was seen', async () => {
    const ours = [7, 5, 6].map((value) => ({ value, cpuMicrosPerRow: 2, also: { gatewayMiB: value * 10 } }))
    const { bench } = scripted({ ours })
    expect(await measure(figure, bench, options(3))).toMatchObject({
      value: 6,
      baseline: null,
      also: { gatewayMiB: 60 },
    })
  })

  test('tells the most that any round gave of what has a bound, so that no round is excused', async () => {
    const ours = [2, 9, 3].map((stallMs) => ({ value: 1, cpuMicrosPerRow: 1, most: { stallMs } }))
    const { bench } = scripted({ ours })
    expect(await measure(figure, bench, options(3))).toMatchObject({ also: { stallMs: 9 } })
  })

  test('is not finished after a stop', async () => {
    const { bench, turns } = scripted({ ours: samples(1, 2), bare: samples(1, 2) })
    const stop = new AbortController()
    const measured = measure(figure, bench, {
      ...options(2),
      onRound: () => stop.abort(),
      signal: stop.signal,
    })
    await expect(measured).rejects.toThrow('aborted')
    expect(turns).toEqual(['ours', 'bare'])
  })
})

describe('a median', () => {
  test('has as many values above it as below', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const middle = median(values)
        const above = values.filter((value) => value > middle).length
        const below = values.filter((value) => value < middle).length
        expect(Math.max(above, below)).toBeLessThanOrEqual(values.length / 2)
      }),
    )
  })
})
