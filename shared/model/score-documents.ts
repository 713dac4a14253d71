import { FreshetError } from '@freshet/errors/errors.ts'
import type { ModelBundle } from './bundle.ts'
import type { RowProblem } from './columns.ts'

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
  throw new FreshetError('BUG', `not built yet: ${bundle.spec.name} ${documents.length}`)
}
