import type { Settings } from '@freshet/config/schema.ts'

const WAY_OUT =
  'set telemetry.url, also to the same address, with telemetry.apiKey: infra/access/elasticsearch/telemetry.json says which rights it needs'

/** Whose key writes telemetry: without telemetry.url it is that of the documents, which needs to read only. Pure. */
export function telemetryConcerns({ elasticsearch, telemetry }: Settings): string[] {
  if (!telemetry.enabled || telemetry.url !== undefined) return []
  if (telemetry.apiKey !== undefined)
    return [`telemetry.apiKey is not used, for there is no telemetry.url: ${WAY_OUT}`]
  if (elasticsearch.apiKey !== undefined)
    return [`telemetry is written with elasticsearch.apiKey, the key of the documents: ${WAY_OUT}`]
  return []
}
