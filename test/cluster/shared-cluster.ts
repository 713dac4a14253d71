import { isFreshetError } from '@freshet/errors/errors.ts'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { type ClusterOptions, ElasticsearchCluster } from './elasticsearch-cluster.ts'

/** Includes the wait for the clusters of other test files, and for the download. */
const START_MS = 30 * 60_000

/**
 * One cluster for all tests of a file or of a group. Where this machine cannot run the version (no such Java, nothing
 * to be downloaded) they are skipped, with the reason.
 */
export function sharedCluster(options: ClusterOptions): () => ElasticsearchCluster {
  let cluster: ElasticsearchCluster | undefined
  let unavailable: string | undefined

  beforeAll(async () => {
    try {
      cluster = await ElasticsearchCluster.start(options)
    } catch (error) {
      if (!isFreshetError(error, 'TOOL_MISSING') && !isFreshetError(error, 'DOWNLOAD_FAILED')) throw error
      unavailable = error.message
    }
  }, START_MS)

  beforeEach(({ skip }) => {
    if (unavailable !== undefined) skip(unavailable)
  })

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]()
  }, START_MS)

  return () => cluster!
}
