/** For tests: program of a thread that reads files which it was given. */
import { parentPort, workerData } from 'node:worker_threads'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { answerReads } from './answer-reads.ts'
import { ENDS_THE_THREAD, type GivenFiles } from './reading-from-memory.kit.ts'

const store = new MemoryObjectStore()
for (const [key, bytes] of Object.entries(workerData as GivenFiles)) await store.put(key, bytes)
parentPort!.on('message', (message) => message?.key === ENDS_THE_THREAD && process.exit())
answerReads(store)
