import { seeded } from '@freshet/stage/seeded.ts'
import type { Features } from '../features/features.ts'
import { readGraph } from '../onnx/graph.ts'
import { leafTablesOf } from '../trees/leaf-tables.ts'
import { probeRows } from '../trees/probe-rows.ts'
import { readTreeEnsemble } from '../trees/read-ensemble.ts'
import type { ModelSession, RunnableModel } from './model-session.ts'
import { openSession } from './onnx-session.ts'
import { type TreeModel, TreeSession } from './tree-session.ts'

export interface OpenedModel {
  readonly session: ModelSession
  /** Those that the session scores with, if it does. */
  readonly trees: TreeModel | null
}

/** Much more does not stay in a core's cache. */
export const MAX_TABLE_BYTES = 4 * 2 ** 20
/** What is larger makes larger tables, and reading it would take longer than it is worth. */
const MAX_ONNX_BYTES = 16 * 2 ** 20
const PROBE_ROWS = 1_024
const PROBE_RUN_ROWS = 128
const SEED = 1

/**
 * The session that scores fastest. ONNX Runtime judges every model and can run all of them; trees are looked up in tables
 * instead, where these give the same bits and are faster. why: decisions/0035
 * @throws MODEL_INVALID
 */
export async function openModel(model: RunnableModel): Promise<OpenedModel> {
  const session = await openSession(model)
  const better = await betterTrees(model, session).catch((error: unknown) => {
    process.emitWarning(
      `ONNX Runtime scores the model, since its trees do not go into tables: ${String(error)}`,
    )
    return null
  })
  if (better === null) return { session, trees: null }
  await session[Symbol.asyncDispose]()
  return better
}

async function betterTrees(model: RunnableModel, onnx: ModelSession): Promise<OpenedModel | null> {
  const untimed = treesOf(model, onnx)
  if (untimed === null) return null
  const session = new TreeSession(untimed)
  const microsPerRow = await microsWhereBetter(session, onnx, probesOf(untimed))
  return microsPerRow === null ? null : { session, trees: { ...untimed, microsPerRow } }
}

/** null where the model is anything but a sum of trees, or is too large. */
function treesOf({ onnx, spec }: RunnableModel, { outputs }: ModelSession): TreeModel | null {
  const width = spec.inputs.columns.length
  if (spec.inputs.tensor === undefined || onnx.length > MAX_ONNX_BYTES) return null
  const ensemble = readTreeEnsemble(onnx, readGraph(onnx))
  if (ensemble === null) return null
  if (outputs.some(({ tensor, column }) => column !== 0 || !ensemble.outputs.has(tensor))) return null
  const tables = leafTablesOf(ensemble, MAX_TABLE_BYTES)
  if (tables === null || tables.columns.some(({ column }) => column >= width)) return null
  return { tables, width, outputs, microsPerRow: Number.POSITIVE_INFINITY }
}

function probesOf({ tables, width }: TreeModel): Features {
  const numbers = probeRows(tables, { rows: PROBE_ROWS, width, random: seeded(SEED) })
  return { rows: PROBE_ROWS, numbers, texts: [] }
}

/** @returns what a row costs out of the tables; null where one bit differs, or ONNX Runtime is faster. @throws MODEL_RUN_FAILED */
export async function microsWhereBetter(
  trees: Pick<ModelSession, 'score'>,
  onnx: Pick<ModelSession, 'score'>,
  probes: Features,
): Promise<number | null> {
  const theirs = await timed(onnx, probes, { least: 2, most: 2 })
  const ours = await timed(trees, probes, { least: 4, most: 32, enoughMs: theirs.ms })
  const isSame = theirs.columns.every((column, output) =>
    column.every((score, row) => Object.is(score, ours.columns[output]![row])),
  )
  return isSame && ours.ms < theirs.ms ? (ours.ms * 1_000) / probes.rows : null
}

interface Times {
  /** The first one compiles. */
  readonly least: number
  /** Others may want the core: what they take must not decide for as long as the model serves. */
  readonly most: number
  readonly enoughMs?: number
}

/** The fastest of some times: of more than the least only until one is fast enough. */
async function timed(
  session: Pick<ModelSession, 'score'>,
  probes: Features,
  { least, most, enoughMs = Number.POSITIVE_INFINITY }: Times,
) {
  let ms = Number.POSITIVE_INFINITY
  let columns: readonly Float64Array[] = []
  for (let time = 0; time < most && (time < least || ms >= enoughMs); time++) {
    const startedAtMs = performance.now()
    ;({ columns } = await session.score(probes, PROBE_RUN_ROWS))
    ms = Math.min(ms, performance.now() - startedAtMs)
  }
  return { columns, ms }
}
