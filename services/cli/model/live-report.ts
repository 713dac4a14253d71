/** How a model fares on live documents: gathers them, and says what should make its author think. */
import type { Buffer } from 'node:buffer'
import { type ErrorCode, isFreshetError } from '@freshet/errors/errors.ts'
import type { GoldenRow, ModelBundle } from '@freshet/model/bundle/bundle.ts'
import { GoldenBins } from '@freshet/model/drift/population-stability.ts'
import { rowWriterOf } from '@freshet/model/features/row-writer-of.ts'
import { type DocumentScore, ReferenceScorer } from '@freshet/model/run/score-documents.ts'
import { type ColumnReport, ColumnSample } from './column-sample.ts'
import { concernsOf } from './concerns.ts'
import type { LiveReport, OutputReport, SetAside } from './report-shape.ts'

export async function reportLive(
  bundle: ModelBundle,
  pages: AsyncIterable<readonly Buffer[]>,
): Promise<LiveReport> {
  const columns = new ColumnsSample(bundle)
  const setAside = new Map<string, SetAside>()
  const scores: GoldenRow['outputs'][] = []
  let documents = 0
  await using reference = await ReferenceScorer.open(bundle)
  for await (const page of pages)
    for (const document of page) {
      documents++
      const score = await tryScore(reference, document)
      columns.add(document)
      if (score.state === 'scored') scores.push(score.outputs)
      else count(setAside, score)
    }
  const report = {
    documents,
    scored: scores.length,
    columns: columns.report(),
    setAside: [...setAside.values()].sort((a, b) => b.count - a.count),
    outputs: bundle.spec.outputs.map(({ name }) => describeScores(name, scores, bundle.golden)),
  }
  return { ...report, concerns: concernsOf(report, bundle.spec.inputs.columns) }
}

type NotScored = Pick<Extract<DocumentScore, { state: 'unscorable' }>, 'at'> & { readonly code: ErrorCode }

/** A document on which the model fails becomes a dead letter too. */
async function tryScore(
  reference: ReferenceScorer,
  document: Buffer,
): Promise<Extract<DocumentScore, { state: 'scored' }> | ({ readonly state: 'unscorable' } & NotScored)> {
  try {
    return await reference.score(document)
  } catch (error) {
    if (!isFreshetError(error, 'MODEL_RUN_FAILED')) throw error
    return { state: 'unscorable', code: error.code, at: null }
  }
}

function count(setAside: Map<string, SetAside>, { code, at }: NotScored): void {
  const reason = `${code} ${at}`
  setAside.set(reason, { code, at, count: (setAside.get(reason)?.count ?? 0) + 1 })
}

/** What all columns hold, also of documents that cannot be scored. */
class ColumnsSample {
  readonly #samples: readonly ColumnSample[]
  readonly #writer: ReturnType<typeof rowWriterOf>

  constructor(bundle: ModelBundle) {
    this.#samples = bundle.spec.inputs.columns.map((column) => new ColumnSample(column))
    this.#writer = rowWriterOf(bundle)
  }

  add(document: Buffer): void {
    const root: unknown = JSON.parse(document.toString())
    if (typeof root !== 'object' || root === null) return
    const isPresent = this.#samples.map((sample) => sample.look(root))
    const row = this.#writer.allocate(1)
    if (this.#writer.write(root, row, 0) !== null) return
    let at = 0
    for (const [index, sample] of this.#samples.entries()) {
      if (sample.column.type === 'text') continue
      if (isPresent[index]) sample.take(row.numbers[at]!)
      at++
    }
  }

  report(): ColumnReport[] {
    return this.#samples.map((sample) => sample.report())
  }
}

function describeScores(
  name: string,
  scores: readonly GoldenRow['outputs'][],
  golden: readonly GoldenRow[],
): OutputReport {
  const sorted = Float64Array.from(scores, (outputs) => outputs[name]!).sort()
  if (sorted.length === 0) return { name, stability: null, scores: null }
  const quantile = (q: number) => sorted[Math.round(q * (sorted.length - 1))]!
  const mean = sorted.reduce((sum, score) => sum + score, 0) / sorted.length
  const bins = GoldenBins.of(golden.map(({ outputs }) => outputs[name]!))
  const counts = bins?.empty()
  if (bins && counts) bins.count(sorted, counts)
  return {
    name,
    stability: bins && counts ? bins.index(counts) : null,
    scores: {
      min: quantile(0),
      p10: quantile(0.1),
      p50: quantile(0.5),
      p90: quantile(0.9),
      max: quantile(1),
      mean,
    },
  }
}
