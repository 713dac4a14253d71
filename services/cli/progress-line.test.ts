import { expect, test } from 'vitest'
import { ProgressLine } from './progress-line.ts'

function shown(isTTY: boolean, atMs: readonly number[]): string[] {
  const written: string[] = []
  const out = { isTTY, columns: 20, write: (text: string) => written.push(text) }
  let nowMs = 0
  using line = new ProgressLine(out as unknown as NodeJS.WriteStream, { nowMs: () => nowMs })
  for (nowMs of atMs) line.show(`at ${nowMs}`)
  return [...written]
}

test('on a terminal one line is written over and over', () => {
  expect(shown(true, [0, 50, 100])).toEqual(['\r\u001b[2Kat 0', '\r\u001b[2Kat 100'])
})

test('elsewhere what takes long is told now and then, and what is quick not at all', () => {
  expect(shown(false, [0, 14_999])).toEqual([])
  expect(shown(false, [0, 15_000, 20_000, 30_000])).toEqual(['at 15000\n', 'at 30000\n'])
})
