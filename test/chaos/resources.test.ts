import { expect, test } from 'vitest'
import { isBack, resourcesOf } from './resources.ts'

const before = { memoryMiB: 100, files: 40 }

test('a few connections more are no leak, and one at each fault is', () => {
  expect(isBack({ memoryMiB: 100, files: 52 }, before)).toBe(true)
  expect(isBack({ memoryMiB: 100, files: 53 }, before)).toBe(false)
})

test('what V8 has not given back yet is no leak, and what keeps growing is', () => {
  expect(isBack({ memoryMiB: 198, files: 40 }, before)).toBe(true)
  expect(isBack({ memoryMiB: 199, files: 40 }, before)).toBe(false)
})

test.runIf(process.platform === 'linux')('a process has memory and open files', () => {
  const own = resourcesOf(process.pid)
  expect(own.memoryMiB).toBeGreaterThan(1)
  expect(own.files).toBeGreaterThan(2)
})
