import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'

const BYTES = 4_000_000
const MODULE = JSON.stringify(new URL('./flushed.ts', import.meta.url).href)
const writing = (before = '') => `
  const { endWithin, flushed } = await import(${MODULE})
  process.stdout.write('x'.repeat(${BYTES}))
  process.exitCode = 3
  ${before}
  await flushed(process.stdout)
  process.exit()`

function start(program = writing()) {
  return spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

test('a process that ends with a full pipe has written all of it, however late its reader is', async () => {
  const child = start()
  const closed = once(child, 'close')
  await sleep(500) // by then the pipe is full
  let bytes = 0
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  expect(await closed).toEqual([3, null])
  expect(bytes).toBe(BYTES)
})

test('a reader that goes away holds nobody up', async () => {
  const child = start()
  const closed = once(child, 'close')
  child.stdout.destroy()
  expect(await closed).toEqual([3, null])
})

test('a service whose log nobody reads ends all the same', async () => {
  const child = start(writing('endWithin(200)'))
  expect(await once(child, 'exit')).toEqual([3, null])
})
