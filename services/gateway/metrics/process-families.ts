import { readdir, readFile, stat } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Family } from './prometheus-text.ts'

const LOOP_RESOLUTION_MS = 10

/** What Prometheus expects of any process, under the names that it has for that; and the event loop's delay. */
export class ProcessFigures implements Disposable {
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })

  constructor() {
    this.#loop.enable()
  }

  /** What the system does not tell is left out. */
  async families(): Promise<Family[]> {
    const { rss, heapUsed, external, arrayBuffers } = memory()
    const { user, system } = process.cpuUsage()
    const startedAtSeconds = Date.now() / 1_000 - process.uptime()
    return [
      counter('process_cpu_seconds_total', 'User and system CPU time.', (user + system) / 1_000_000),
      gauge('process_resident_memory_bytes', 'Resident memory.', rss),
      gauge('process_start_time_seconds', 'When the process began, since 1970.', startedAtSeconds),
      gauge('process_open_fds', 'Open file descriptors.', await openFiles()),
      gauge('process_max_fds', 'How many may be open.', await maxFiles()),
      gauge('nodejs_heap_used_bytes', 'Used heap of V8.', heapUsed),
      gauge('nodejs_external_memory_bytes', 'Memory of objects of V8 outside of its heap.', external),
      gauge('nodejs_array_buffers_bytes', 'Of this, array buffers.', arrayBuffers),
      ...this.#loopFamilies(),
    ]
  }

  /** The histogram holds times between two ticks; what is beyond the tick's own is delay. */
  #loopFamilies(): Family[] {
    const delayOf = (ns: number) => Math.max(0, ns / 1e6 - LOOP_RESOLUTION_MS) / 1_000
    const name = 'nodejs_eventloop_lag'
    const families = [
      gauge(
        `${name}_mean_seconds`,
        'Mean delay of the event loop since it was last asked for.',
        delayOf(this.#loop.mean),
      ),
      gauge(`${name}_p99_seconds`, 'Its 99th percentile.', delayOf(this.#loop.percentile(99))),
      gauge(`${name}_max_seconds`, 'Its longest.', delayOf(this.#loop.max)),
    ]
    const isEmpty = this.#loop.count === 0
    this.#loop.reset()
    return isEmpty ? [] : families
  }

  [Symbol.dispose](): void {
    this.#loop.disable()
  }
}

function counter(name: string, help: string, value: number): Family {
  return { name, kind: 'counter', help, samples: [{ value }] }
}

function gauge(name: string, help: string, value: number | undefined): Family {
  return { name, kind: 'gauge', help, samples: value === undefined ? [] : [{ value }] }
}

/** Read from a file, which cannot be opened while too many are: just then the other figures are wanted. */
function memory(): Partial<NodeJS.MemoryUsage> {
  try {
    return process.memoryUsage()
  } catch {
    return {}
  }
}

/** Newer kernels tell the count as the folder's size; on others it is counted. */
async function openFiles(): Promise<number | undefined> {
  try {
    const { size } = await stat('/proc/self/fd')
    return size > 0 ? size : (await readdir('/proc/self/fd')).length
  } catch {
    return undefined
  }
}

async function maxFiles(): Promise<number | undefined> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
  return soft === undefined ? undefined : Number(soft)
}
