/** The inside of an inference thread: loads one model, answers one request after the other. See inference-thread.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { Reply, Request } from './inference-thread.ts'
import { type OnnxSession, openSession, type RunnableModel } from './onnx-session.ts'

if (parentPort === null) throw new FreshetError('BUG', 'onnx-worker.ts runs as a worker thread only')
const port = parentPort

try {
  const session = await openSession(workerData as RunnableModel)
  port.on('message', (request: Request) => void answer(session, request))
  tell({ kind: 'ready' })
} catch (error) {
  tellFailure(error)
}

async function answer(session: OnnxSession, request: Request): Promise<void> {
  if (request.kind === 'stop') {
    await session[Symbol.asyncDispose]()
    port.close()
    return
  }
  try {
    tell({ kind: 'scored', outputs: await session.score(request.matrix, request.rows, request.runRows) })
  } catch (error) {
    tellFailure(error)
  }
}

function tellFailure(error: unknown): void {
  const { code, message } = toFreshetError(error)
  tell({ kind: 'failed', code, message })
}

function tell(reply: Reply): void {
  port.postMessage(reply, reply.kind === 'scored' ? reply.outputs.map(({ buffer }) => buffer) : [])
}
