/** The inside of an inference thread: loads one model, answers one request after the other. See inference-thread.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { lowerThreadPriority } from '@freshet/stage/thread-priority.ts'
import { calibrate } from './calibrate.ts'
import type { Reply, Request, ThreadOrder } from './inference-thread.ts'
import type { ModelSession } from './model-session.ts'

if (parentPort === null) throw new FreshetError('BUG', 'model-worker.ts runs as a worker thread only')
const port = parentPort
const { niceness, ...model } = workerData as ThreadOrder
if (niceness > 0) lowerThreadPriority(niceness)

try {
  const { openModel } = await import('./open-model.ts') // only now: loading ONNX Runtime is work, too
  const { session, trees } = await openModel(model)
  port.on('message', (request: Request) => void answer(session, request))
  tell({ kind: 'ready', trees })
} catch (error) {
  tellFailure(error)
}

async function answer(session: ModelSession, request: Request): Promise<void> {
  if (request.kind === 'stop') {
    await session[Symbol.asyncDispose]()
    port.close()
    return
  }
  try {
    tell(await replyTo(session, request))
  } catch (error) {
    tellFailure(error)
  }
}

async function replyTo(session: ModelSession, request: Exclude<Request, { kind: 'stop' }>): Promise<Reply> {
  const { features } = request
  if (request.kind === 'run')
    return { kind: 'scored', scores: await session.score(features, request.runRows) }
  return {
    kind: 'calibrated',
    calibration: await calibrate(session, features, () => performance.now() * 1_000),
  }
}

function tellFailure(error: unknown): void {
  const { code, message } = toFreshetError(error)
  tell({ kind: 'failed', code, message })
}

function tell(reply: Reply): void {
  port.postMessage(reply, reply.kind === 'scored' ? reply.scores.columns.map(({ buffer }) => buffer) : [])
}
