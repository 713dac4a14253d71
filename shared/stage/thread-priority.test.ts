import { getPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'

const program = `
  const { lowerThreadPriority } = await import(${JSON.stringify(new URL('./thread-priority.ts', import.meta.url).href)})
  const { readlinkSync } = await import('node:fs')
  const { getPriority } = await import('node:os')
  const { parentPort } = await import('node:worker_threads')
  lowerThreadPriority(10)
  lowerThreadPriority(5)
  parentPort.postMessage(getPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1))))`

test.runIf(process.platform === 'linux')(
  'a thread lowers itself alone, and never raises itself',
  async () => {
    const before = getPriority()
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`))
    const niceness = await new Promise((resolve, reject) =>
      worker.once('message', resolve).once('error', reject),
    )
    expect(niceness).toBe(Math.max(10, before))
    expect(getPriority()).toBe(before)
  },
)
