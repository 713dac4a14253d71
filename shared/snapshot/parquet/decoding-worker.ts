/** Program of DecodingThread: row groups in, pages in shared memory out. */
import { Buffer } from 'node:buffer'
import { parentPort, workerData } from 'node:worker_threads'
import { toFreshetError } from '@freshet/errors/errors.ts'
import { lowerThreadPriority } from '@freshet/stage/thread-priority.ts'
import { TimeSlice } from '@freshet/stage/time-slice.ts'
import { decodeGroup } from './decode-group.ts'
import { type Decoded, FULL, type GroupToDecode } from './decoding-thread.ts'
import { sharePage } from './shared-page.ts'

const { places } = workerData as { readonly places: Int32Array }
const buffers: SharedArrayBuffer[] = []
let pages = 0

/** Where cores are short, answers come first: a tenth of one is left to decoding. */
const NICENESS = 10
lowerThreadPriority(NICENESS)

parentPort!.on('message', async ({ bytes, ...group }: GroupToDecode) => {
  try {
    for await (const rows of decodeGroup({ ...group, bytes: Buffer.from(bytes) }, new TimeSlice())) {
      const place = pages++ % places.length
      Atomics.wait(places, place, FULL)
      const page = sharePage(rows, buffers[place])
      buffers[place] = page.buffer
      Atomics.store(places, place, FULL)
      tell({ kind: 'page', place, page })
    }
    tell({ kind: 'end' })
  } catch (error) {
    const { code, message } = toFreshetError(error)
    tell({ kind: 'failed', code, message })
  }
})

function tell(reply: Decoded): void {
  parentPort!.postMessage(reply)
}
