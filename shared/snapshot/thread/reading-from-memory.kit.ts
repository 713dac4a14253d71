import type { ReadingProgram } from './reading-thread.ts'

/** By key. */
export type GivenFiles = Readonly<Record<string, Uint8Array>>

/** A key that a thread dies of. */
export const ENDS_THE_THREAD = 'ends the thread'

/** For tests: a thread with these files. */
export function readingFromMemory(files: GivenFiles): ReadingProgram {
  return { url: new URL('./memory-reading-worker.kit.ts', import.meta.url), data: files }
}
