import './no-onnx-telemetry.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { InferenceSession, type Tensor } from 'onnxruntime-node'
import { sliceFeatures } from '../features/features.ts'
import { readGraph } from '../onnx/graph.ts'
import { withoutMaps } from '../onnx/without-maps.ts'
import { feedColumns, feedMatrix } from './feeds.ts'
import type { ModelSession, RunnableModel } from './model-session.ts'
import { planOutputs, replaceNotFinite, type ScoreColumn } from './score-columns.ts'

/** @throws MODEL_INVALID when it cannot be loaded or its shapes are not those of its spec */
export async function openSession({ onnx, spec }: RunnableModel): Promise<ModelSession> {
  const graph = readGraph(onnx)
  const readable = withoutMaps(onnx, graph)
  const session = await createSession(readable.onnx)
  const feed =
    spec.inputs.tensor === undefined ? feedColumns(session, spec.inputs) : feedMatrix(session, spec.inputs)
  const outputs = planOutputs(session, spec.outputs, { graph, mapTensors: readable.tensors })
  const fetches = [...new Set(outputs.map(({ tensor }) => tensor))]
  return {
    outputs,
    async score(features, runRows) {
      const { rows } = features
      const columns = outputs.map(() => new Float64Array(rows))
      let replaced = 0
      for (let from = 0; from < rows; from += runRows) {
        const to = Math.min(rows, from + runRows)
        const result = await runOnce(session, feed(sliceFeatures(features, from, to)), fetches)
        for (const [index, output] of outputs.entries())
          replaced += copyScores(result[output.tensor]!, output, columns[index]!.subarray(from, to))
      }
      return { columns, replaced }
    },
    [Symbol.asyncDispose]: () => session.release(),
  }
}

async function createSession(onnx: Uint8Array): Promise<InferenceSession> {
  // ONNX Runtime does not load from shared memory, and keeps nothing of what it was given.
  const own = onnx.buffer instanceof SharedArrayBuffer ? new Uint8Array(onnx) : onnx
  try {
    return await InferenceSession.create(own, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      logSeverityLevel: 3,
    })
  } catch (cause) {
    const message = `ONNX Runtime does not load the model: ${reasonOf(cause)}`
    throw new FreshetError('MODEL_INVALID', message, { cause })
  }
}

async function runOnce(
  session: InferenceSession,
  feeds: InferenceSession.FeedsType,
  fetches: readonly string[],
): Promise<InferenceSession.ReturnType> {
  try {
    return await session.run(feeds, fetches)
  } catch (cause) {
    throw new FreshetError('MODEL_RUN_FAILED', `ONNX Runtime: ${reasonOf(cause)}`, { cause })
  }
}

/**
 * Takes one column of a [rows] or [rows, k] tensor.
 * @returns how many scores were not finite and stand as the spec has it. @throws MODEL_RUN_FAILED
 */
function copyScores(
  { data, dims }: Tensor,
  { column, whenNotFinite }: ScoreColumn,
  into: Float64Array,
): number {
  const columns = data.length / into.length
  if (dims[0] !== into.length || !Number.isInteger(columns) || column >= columns)
    throw new FreshetError(
      'MODEL_RUN_FAILED',
      `the model answers [${dims.join(', ')}] for ${into.length} rows, which has no score in column ${column}`,
    )
  for (let row = 0; row < into.length; row++) into[row] = Number(data[row * columns + column])
  return replaceNotFinite(into, whenNotFinite)
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
