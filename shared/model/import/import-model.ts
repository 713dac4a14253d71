/** An export of another tool as the draft of a bundle: what its files say is read, what they do not say is told. */
import { Buffer } from 'node:buffer'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { type GoldenRow, type ModelBundle, sha256Of } from '../bundle/bundle.ts'
import type { ModelSpec } from '../bundle/spec.ts'
import { hasExternalData } from '../onnx/external-data.ts'
import { readGraph } from '../onnx/graph.ts'
import { scoreDocuments } from '../run/score-documents.ts'
import { draftInputs, type NamedColumn } from './draft-inputs.ts'
import { draftOutputs } from './draft-outputs.ts'
import { asDocument, type ExampleRow } from './examples.ts'
import { notImportable } from './not-importable.ts'
import { withTrainingRanges } from './training-ranges.ts'

export interface Export {
  readonly onnx: Uint8Array
  readonly name: string
  readonly version: string
  /** What whoever trained the model called its columns and outputs; null: nobody says. */
  readonly columns: readonly NamedColumn[] | null
  readonly outputs: readonly string[] | null
  /** Rows to make golden rows of. */
  readonly examples: readonly ExampleRow[]
  /** Rows of the training, for the ranges of the columns; none: no ranges. */
  readonly training: readonly ExampleRow[]
}

export interface ImportedModel {
  /** Its golden rows are none where there were no examples: then it is not yet one that can be pushed. */
  readonly bundle: ModelBundle
  /** What a person has to add or to confirm, in sentences. */
  readonly toFillIn: readonly string[]
}

/** Of scores that the same ONNX Runtime computes. */
const TOLERANCE = 1e-4
const MAX_GOLDEN_ROWS = 1_000

/**
 * @throws MODEL_NOT_IMPORTABLE, MODEL_INVALID when ONNX Runtime does not load the model, or its shapes do not fit;
 * MODEL_RUN_FAILED when it fails on an example
 */
export async function importModel(from: Export): Promise<ImportedModel> {
  const { onnx, name, version } = from
  refuseSeveralFiles(onnx)
  const graph = readGraph(onnx)
  const inputs = draftInputs(graph, from.columns)
  const outputs = draftOutputs(graph, from.outputs)
  const names = inputs.value.columns.map(({ name }) => name)
  const training = from.training.map((row) => asDocument(row, names))
  const spec: ModelSpec = {
    formatVersion: 1,
    name,
    version,
    sha256: sha256Of(onnx),
    inputs: training.length === 0 ? inputs.value : withTrainingRanges(inputs.value, training),
    outputs: [...outputs.value],
    golden: { tolerance: TOLERANCE },
  }
  const golden = await makeGolden({ spec, onnx }, from.examples)
  return {
    bundle: { spec, onnx, golden: golden.rows },
    toFillIn: [
      ...inputs.toFillIn,
      `whether the paths are those of your documents: they are the columns' names, such as ${inputs.value.columns[0]!.path}`,
      ...outputs.toFillIn,
      ...golden.toFillIn,
    ],
  }
}

/** Also without an example the model is loaded: what cannot run is no draft. */
async function makeGolden(
  { spec, onnx }: Pick<ModelBundle, 'spec' | 'onnx'>,
  examples: readonly ExampleRow[],
): Promise<{ rows: GoldenRow[]; toFillIn: string[] }> {
  const names = spec.inputs.columns.map(({ name }) => name)
  const documents = examples.slice(0, MAX_GOLDEN_ROWS).map((row) => asDocument(row, names))
  const scores = await scoreDocuments(
    { spec, onnx, golden: [] },
    documents.map((document) => Buffer.from(JSON.stringify(document))),
  )
  const rows: GoldenRow[] = []
  const refused: string[] = []
  for (const [at, score] of scores.entries())
    if (score.state === 'scored') rows.push({ document: documents[at]!, outputs: score.outputs })
    else refused.push(`example ${at + 1} makes no golden row: ${score.message}`)
  return { rows, toFillIn: [...refused.slice(0, 1), rows.length === 0 ? NO_GOLDEN : OWN_GOLDEN] }
}

const NO_GOLDEN =
  'golden.ndjson: documents, and for each the scores that you got, one a line as {"document":{…},"outputs":{…}}'
const OWN_GOLDEN =
  'whether golden.ndjson has the scores that you got: they were computed from model.onnx here, so they do not prove that it was exported right'

function refuseSeveralFiles(onnx: Uint8Array): void {
  if (hasTensorsElsewhere(onnx))
    throw notImportable(
      'the model keeps tensors in other files (external data): save it as one file, in MLflow with save_as_external_data=False',
    )
}

function hasTensorsElsewhere(onnx: Uint8Array): boolean {
  try {
    return hasExternalData(onnx)
  } catch (error) {
    if (!isFreshetError(error)) throw error
    throw notImportable(error.message, { cause: error })
  }
}
