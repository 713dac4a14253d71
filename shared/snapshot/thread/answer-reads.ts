import { parentPort } from 'node:worker_threads'
import { toFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { openSnapshotFile } from '../parquet/read.ts'
import type { FileAddress } from '../parquet/source.ts'
import { Giver, type Places } from './places.ts'

/**
 * What a program of ReadingThread does: files that are asked for are read from the store, one at a time, until null comes, or
 * nobody takes what was read. Then the thread ends.
 */
export function answerReads(store: ObjectStore): void {
  parentPort!.once('message', (places: Places) => {
    const giver = new Giver(places, end)
    parentPort!.on('message', (file: FileAddress | null) => {
      if (file === null) end()
      read(store, file, giver).catch((error: unknown) => {
        const { code, message } = toFreshetError(error)
        giver.tell({ kind: 'failed', code, message })
      })
    })
  })
}

/** Of itself, where nothing is half done: why is told where it is asked for (reading-thread.ts). */
function end(): never {
  process.exit()
}

async function read(store: ObjectStore, file: FileAddress, giver: Giver): Promise<void> {
  const { schema, pages } = await openSnapshotFile(store, file)
  giver.tell({ kind: 'opened', schema })
  for await (const rows of pages) giver.page(rows)
  giver.tell({ kind: 'end' })
}
