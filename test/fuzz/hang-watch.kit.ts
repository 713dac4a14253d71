import { Worker } from 'node:worker_threads'

/** Of an input, kept for the report. */
const KEPT_BYTES = 64 * 1024
const HUNG_AFTER_MS = 30_000
/** Calls begun and ended so far, the length of the input, and of the name. */
const HEAD_BYTES = 12

/**
 * A parser that loops for ever can be interrupted by nothing on its own thread, a test's time limit included. Another
 * thread sees that a call does not end, prints its input, and ends the process.
 */
export class HangWatch {
  readonly #head: Int32Array
  readonly #kept: Uint8Array
  readonly #worker: Worker

  constructor() {
    const shared = new SharedArrayBuffer(HEAD_BYTES + KEPT_BYTES)
    this.#head = new Int32Array(shared, 0, 3)
    this.#kept = new Uint8Array(shared, HEAD_BYTES)
    this.#worker = new Worker(WATCHING, { eval: true, workerData: { shared, HUNG_AFTER_MS, HEAD_BYTES } })
    this.#worker.unref()
  }

  begins(name: string, bytes: Uint8Array): void {
    const label = new TextEncoder().encode(name)
    this.#kept.set(label)
    this.#kept.set(bytes.subarray(0, KEPT_BYTES - label.length), label.length)
    this.#head[1] = Math.min(bytes.length, KEPT_BYTES - label.length)
    this.#head[2] = label.length
    Atomics.add(this.#head, 0, 1)
  }

  ended(): void {
    Atomics.add(this.#head, 0, 1)
  }
}

const WATCHING = `
const { workerData: { shared, HUNG_AFTER_MS, HEAD_BYTES } } = require('node:worker_threads')
const { writeSync } = require('node:fs')
const head = new Int32Array(shared, 0, 3)
let seen = 0
let sinceMs = Date.now()
setInterval(() => {
  const count = Atomics.load(head, 0)
  if (count !== seen) [seen, sinceMs] = [count, Date.now()]
  if (count % 2 === 0 || Date.now() - sinceMs < HUNG_AFTER_MS) return
  const kept = Buffer.from(new Uint8Array(shared, HEAD_BYTES))
  const name = kept.toString('utf8', 0, head[2])
  const bytes = kept.subarray(head[2], head[2] + head[1])
  writeSync(2, '\\n' + name + ' does not end for these bytes (base64): ' + bytes.toString('base64') + '\\n')
  process.kill(process.pid, 'SIGKILL')
}, 1_000)
`
