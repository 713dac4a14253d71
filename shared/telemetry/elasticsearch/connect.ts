import type { Client } from '@elastic/elasticsearch'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import type { Settings } from '@freshet/config/schema.ts'

/** Telemetry waits less long than the data does: it is the first to give way. */
const REQUEST_TIMEOUT_MS = 10_000

/** Where traces and logs go. The key of elasticsearch.apiKey is shown to no other server than its own. */
export function connectTelemetry({
  elasticsearch,
  telemetry,
}: Settings): AsyncDisposable & { client: Client } {
  const { apiKey, ...common } = elasticsearch
  const elsewhere = telemetry.url !== undefined
  const key = elsewhere ? telemetry.apiKey : apiKey
  const client = connectElasticsearch({
    ...common,
    url: telemetry.url ?? elasticsearch.url,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    ...(key !== undefined && { apiKey: key }),
  })
  return { client, [Symbol.asyncDispose]: () => client.close() }
}
