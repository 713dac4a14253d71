import { afterEach, expect, test, vi } from 'vitest'
import { ProcessFigures } from './process-families.ts'

afterEach(() => void vi.restoreAllMocks())

const namesOf = (families: Awaited<ReturnType<ProcessFigures['families']>>) =>
  families.filter(({ samples }) => samples.length > 0).map(({ name }) => name)

test('a process tells its CPU time and its memory', async () => {
  using figures = new ProcessFigures()
  expect(namesOf(await figures.families())).toEqual(
    expect.arrayContaining(['process_cpu_seconds_total', 'process_resident_memory_bytes']),
  )
})

test('with so many files open that the system does not tell the memory, all else is told', async () => {
  using figures = new ProcessFigures()
  vi.spyOn(process, 'memoryUsage').mockImplementation(() => {
    throw new Error('EMFILE: too many open files, uv_resident_set_memory')
  })
  const names = namesOf(await figures.families())
  expect(names).toContain('process_cpu_seconds_total')
  expect(names).not.toContain('process_resident_memory_bytes')
})
