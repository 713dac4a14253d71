import type { ModelBundle } from './bundle.ts'
import { compileColumns, type RowProblem, type RowWriter } from './columns.ts'
import { type OnnxSession, openSession } from './onnx-session.ts'

/** What is to be stored of a document: its scores, or why it has none. */
export type DocumentScore =
  | { readonly state: 'scored'; readonly outputs: Readonly<Record<string, number>> }
  | {
      readonly state: 'unscorable'
      readonly code: RowProblem['code'] | 'SCORE_NOT_FINITE'
      readonly at: string | null
      readonly message: string
    }

/** The plain truth that tests compare with: one document after the other, on the calling thread, nothing clever. */
export async function scoreDocuments(
  bundle: ModelBundle,
  documents: readonly Uint8Array[],
): Promise<DocumentScore[]> {
  await using session = await openSession(bundle)
  const writer = compileColumns(bundle.spec.inputs.columns)
  const scores: DocumentScore[] = []
  for (const document of documents) scores.push(await scoreDocument(bundle, session, writer, document))
  return scores
}

async function scoreDocument(
  { spec }: ModelBundle,
  session: OnnxSession,
  writer: RowWriter,
  document: Uint8Array,
): Promise<DocumentScore> {
  const row = new Float32Array(writer.width)
  const problem = writer.write(document, row, 0)
  if (problem) return { state: 'unscorable', ...problem }
  const columns = await session.score(row, 1, 1)
  const outputs = Object.fromEntries(spec.outputs.map(({ name }, index) => [name, columns[index]![0]!]))
  const broken = spec.outputs.find(({ name }) => !Number.isFinite(outputs[name]))
  if (broken === undefined) return { state: 'scored', outputs }
  const message = `the model answers ${outputs[broken.name]} for ${broken.name}`
  return { state: 'unscorable', code: 'SCORE_NOT_FINITE', at: null, message }
}
