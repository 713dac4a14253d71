import { FreshetError } from '@freshet/errors/errors.ts'
import type { ModelBundle } from '../bundle/bundle.ts'
import type { Features } from '../features/features.ts'
import { rowWriterOf } from '../features/row-writer-of.ts'

/**
 * The golden documents as the model takes them: so many rows, over and over again where there are fewer documents.
 * @throws MODEL_GOLDEN when one cannot be scored; MODEL_INVALID
 */
export function goldenFeatures(bundle: ModelBundle, rows: number): Features {
  const writer = rowWriterOf(bundle)
  const features = writer.allocate(rows)
  for (let row = 0; row < rows; row++) {
    const at = row % bundle.golden.length
    const problem = writer.write(bundle.golden[at]!.document, features, row)
    if (problem) throw new FreshetError('MODEL_GOLDEN', `golden row ${at + 1}: ${problem.message}`)
  }
  return features
}
