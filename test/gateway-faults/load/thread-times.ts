import { closeSync, openSync, readdirSync, readSync } from 'node:fs'

/** Threads come and go seldom; to list them costs more than to read them. */
const LIST_EVERY_READS = 10

/** With a core, and ready to run without one. */
interface ThreadTime {
  readonly ranMs: number
  readonly waitedMs: number
}

/** How long the threads of a process ran and waited for a core, by Linux's schedstat; 0 where there is none. */
export class ThreadTimes {
  readonly #pid: number
  readonly #files = new Map<string, number>()
  readonly #times = new Map<string, ThreadTime>()
  readonly #buffer = Buffer.alloc(128)
  #reads = 0

  constructor(pid: number) {
    this.#pid = pid
    this.#list()
  }

  /** How long the main thread ran, and how long it was ready to run and had no core, since it began. */
  main(): ThreadTime {
    return this.#read(`${this.#pid}`) ?? { ranMs: 0, waitedMs: 0 }
  }

  /** The same of all others together, also of those that have ended. */
  others(): ThreadTime {
    if (++this.#reads % LIST_EVERY_READS === 0) this.#list()
    for (const thread of this.#files.keys()) {
      if (thread === `${this.#pid}`) continue
      const times = this.#read(thread)
      if (times !== undefined) this.#times.set(thread, times)
    }
    const sum = (of: keyof ThreadTime) => this.#times.values().reduce((ms, times) => ms + times[of], 0)
    return { ranMs: sum('ranMs'), waitedMs: sum('waitedMs') }
  }

  #list(): void {
    const folder = `/proc/${this.#pid}/task`
    try {
      for (const thread of readdirSync(folder))
        if (!this.#files.has(thread)) this.#files.set(thread, openSync(`${folder}/${thread}/schedstat`, 'r'))
    } catch {
      // the process is gone, or a thread is, or the kernel does not tell
    }
  }

  #read(thread: string): ThreadTime | undefined {
    const file = this.#files.get(thread)
    if (file === undefined) return undefined
    try {
      const length = readSync(file, this.#buffer, 0, this.#buffer.length, 0)
      const [ranNs, waitedNs] = this.#buffer.toString('latin1', 0, length).split(' ')
      return { ranMs: Number(ranNs) / 1e6, waitedMs: Number(waitedNs) / 1e6 }
    } catch {
      closeSync(file)
      this.#files.delete(thread)
      return undefined
    }
  }
}
