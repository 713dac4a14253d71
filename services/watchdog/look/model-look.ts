import { type ModelPointer, modelPointerRecord, POINTER_OBJECT } from '@freshet/model/bundle/model-pointer.ts'
import { getIfThere } from '@freshet/ports/get-if-there.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { ModelFacts } from '@freshet/records/facts.ts'

/** @throws S3_UNREACHABLE, S3_UNAUTHORIZED, BUCKET_MISSING, DEADLINE, RECORD_VERSION */
export async function lookAtModel(store: ObjectStore, signal: AbortSignal): Promise<ModelFacts> {
  const stored = await getIfThere(store, POINTER_OBJECT, signal)
  return modelFacts(stored === null ? null : modelPointerRecord.decode(stored.body))
}

function modelFacts(pointer: ModelPointer | null): ModelFacts {
  if (pointer === null) return { promoted: null, generation: 0, promotedAtMs: 0 }
  const { name, modelVersion, generation, promotedAtMs } = pointer
  return { promoted: `${name}@${modelVersion}`, generation, promotedAtMs }
}
