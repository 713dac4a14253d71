import { openS3, type S3ObjectStore } from '@freshet/adapters/s3/s3-object-store.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { refuseForeignSnapshot } from '@freshet/snapshot/manifest.ts'

/** For commands that change which model scores. @throws CONFIG_INVALID when s3.prefix is another pipeline's */
export async function openOwnStore({ s3, pipeline }: Settings): Promise<S3ObjectStore> {
  const store = openS3(s3)
  try {
    await refuseForeignSnapshot(store, pipeline)
    return store
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}
