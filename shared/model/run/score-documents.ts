import type { ModelBundle } from '../bundle/bundle.ts'
import type { RowProblem, RowWriter } from '../features/columns.ts'
import { rowWriterOf } from '../features/row-writer-of.ts'
import type { ModelSession } from './model-session.ts'
import { openSession } from './onnx-session.ts'

/** What is to be stored of a document: its scores, or why it has none. */
export type DocumentScore =
  | { readonly state: 'scored'; readonly outputs: Readonly<Record<string, number>> }
  | {
      readonly state: 'unscorable'
      readonly code: RowProblem['code'] | 'SCORE_NOT_FINITE'
      readonly at: string | null
      readonly message: string
    }

/** The plain truth: one document after the other, on the calling thread, nothing clever. Demo and oracle compare with it. */
export class ReferenceScorer implements AsyncDisposable {
  readonly #spec: ModelBundle['spec']
  readonly #session: ModelSession
  readonly #writer: RowWriter

  static async open(bundle: ModelBundle): Promise<ReferenceScorer> {
    return new ReferenceScorer(bundle, await openSession(bundle))
  }

  private constructor(bundle: ModelBundle, session: ModelSession) {
    this.#spec = bundle.spec
    this.#session = session
    this.#writer = rowWriterOf(bundle)
  }

  /** @param document UTF-8 JSON. */
  async score(document: Uint8Array): Promise<DocumentScore> {
    const features = this.#writer.allocate(1)
    const problem = this.#writer.write(document, features, 0)
    if (problem) return { state: 'unscorable', ...problem }
    const { columns } = await this.#session.score(features, 1)
    const outputs = Object.fromEntries(
      this.#spec.outputs.map(({ name }, index) => [name, columns[index]![0]!]),
    )
    const broken = this.#spec.outputs.find(({ name }) => !Number.isFinite(outputs[name]))
    if (broken === undefined) return { state: 'scored', outputs }
    const message = `the model answers ${outputs[broken.name]} for ${broken.name}`
    return { state: 'unscorable', code: 'SCORE_NOT_FINITE', at: null, message }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]()
  }
}

export async function scoreDocuments(
  bundle: ModelBundle,
  documents: readonly Uint8Array[],
): Promise<DocumentScore[]> {
  await using reference = await ReferenceScorer.open(bundle)
  const scores: DocumentScore[] = []
  for (const document of documents) scores.push(await reference.score(document))
  return scores
}
