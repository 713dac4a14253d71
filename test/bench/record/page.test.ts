import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ENTRIES } from '../figures.ts'
import type { Machine } from './machine.ts'
import { PAGE_FILE, PLOT_FILE, pageText, RECORDS_FILE } from './page.ts'
import { plotText } from './plot.ts'
import { type Measured, type Records, readRecords, withResult } from './records.ts'

const NONE: Records = { machines: {}, newest: [], earlier: [] }
const machine: Machine = {
  cpu: 'a processor',
  cores: 2,
  memoryGiB: 24,
  kernel: 'Linux 7',
  node: '24.21.0',
  servers: { Kafka: '4.3.1' },
}

function measured(date: string, begin: number): Measured & { machine: Machine } {
  return { date, commit: 'abc', load: { begin, end: 1 }, tookSeconds: 40, each: { ours: [1] }, machine }
}

function lookups(value: number) {
  const parts = { bare: { value: 40_000, cpuMicrosPerRow: 25 } }
  const baseline = {
    value: 40_000,
    cpuMicrosPerRow: 25,
    ratios: { value: value / 40_000 },
    parts,
  }
  return { figure: 'gateway-lookups', rounds: 5, value, cpuMicrosPerRow: 30, baseline, also: {} }
}

describe('docs/benchmarks.md', () => {
  const page = readFileSync(PAGE_FILE, 'utf8')
  const records = readRecords(RECORDS_FILE)

  test('says what benchmarks.json says (else: npm run bench -- --page)', () => {
    expect(pageText(page, records)).toBe(page)
  })

  test('shows the plot of benchmarks.json (else: npm run bench -- --page)', () => {
    expect(plotText(records)).toBe(readFileSync(PLOT_FILE, 'utf8'))
  })

  test('explains every figure that can be measured, and benchmarks.json has no others', () => {
    const names = ENTRIES.map(({ figure }) => figure.name)
    expect(names.filter((name) => !page.includes(`\n### ${name}\n`))).toEqual([])
    expect(records.newest.map(({ figure }) => figure).filter((name) => !names.includes(name))).toEqual([])
  })

  test('tells a missed target, a busy machine and what was never recorded as such', () => {
    const missed = pageText(page, withResult(NONE, lookups(20_000), measured('2026-12-01 10:00', 3.2)))
    expect(missed).toContain(
      '20,000 requests/CPU-s | bare 40,000 | 0.5 | 30 µs, 25 µs | ratio ≥ 0.75: **MISSED**',
    )
    expect(missed).toContain('2026-12-01, A, load 3.2 to 1 (busy), 5 rounds')
    expect(missed).toContain('[`infer`](#infer) | not recorded')
    const met = pageText(page, withResult(NONE, lookups(32_000), measured('2026-12-01 10:00', 0.4)))
    expect(met).toContain('ratio ≥ 0.75: met')
    expect(met).toContain('load 0.4 to 1, 5 rounds')
  })
})

describe('the plot', () => {
  const { baseline } = lookups(1)
  const panels = (...figures: readonly string[]) => {
    const records = figures.reduce(
      (sum, figure) => withResult(sum, { ...lookups(20_000), figure, baseline }, measured('2026-12-01', 0)),
      NONE,
    )
    return [...plotText(records).matchAll(/class="head"[^>]*>([^<]*)/g)].map(([, title]) => title)
  }

  test('shows a rate where more is better, and memory, time and idling where less is', () => {
    expect(panels('snapshot-follow')).toEqual([expect.stringContaining('(more is better)')])
    for (const figure of ['snapshot-merge', 'infer-latency', 'capture-idle', 'capture-memory'])
      expect(panels(figure)).toEqual([
        'Time, memory and idling as a multiple of the bare loop (less is better)',
        'Upper limits: how much of it is used (less is better)',
      ])
  })
})

describe('a new result', () => {
  const first = withResult(NONE, lookups(20_000), measured('2026-12-01 10:00', 3))
  const second = withResult(first, lookups(32_000), measured('2026-12-02 10:00', 0.4))

  test('takes the place of the last one, which stays in short', () => {
    expect(second.newest.map(({ value }) => value)).toEqual([32_000])
    expect(second.earlier).toEqual([
      {
        figure: 'gateway-lookups',
        date: '2026-12-01 10:00',
        commit: 'abc',
        machine: 'A',
        value: 20_000,
        bare: 40_000,
        load: { begin: 3, end: 1 },
        ratio: 0.5,
      },
    ])
  })

  test('keeps the ratio of its rounds in the page, and as an earlier one', () => {
    const uneven = { ...lookups(20_000), baseline: { ...lookups(20_000).baseline, ratios: { value: 0.47 } } }
    const noted = withResult(NONE, uneven, measured('2026-12-01 10:00', 3))
    const page = readFileSync(PAGE_FILE, 'utf8')
    expect(pageText(page, noted)).toContain('20,000 requests/CPU-s | bare 40,000 | 0.47 |')
    const later = withResult(noted, lookups(32_000), measured('2026-12-02 10:00', 3))
    expect(pageText(page, later)).toContain('| 20,000 | 40,000 | 0.47 |')
  })

  test('names the machine that is known, and a new letter for another', () => {
    expect(Object.keys(second.machines)).toEqual(['A'])
    const elsewhere = { ...measured('2026-12-03 10:00', 0), machine: { ...machine, cores: 4 } }
    const third = withResult(second, lookups(1), elsewhere)
    expect(third.machines).toEqual({ A: machine, B: elsewhere.machine })
    expect(third.newest[0]!.machine).toBe('B')
  })
})
