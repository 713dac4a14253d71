import type { Stack } from './stack.ts'

/** Services of which spans can be found in Elasticsearch. */
export async function tracedServices({ client, settings }: Stack): Promise<Set<string>> {
  const index = `traces-*${settings.telemetry.namespace}*`
  await client.indices.refresh({ index })
  const { aggregations } = await client.search({
    index,
    size: 0,
    aggs: { services: { terms: { field: 'resource.attributes.service.name' } } },
  })
  const { buckets } = aggregations!['services'] as unknown as { buckets: { key: string }[] }
  return new Set(buckets.map((bucket) => bucket.key))
}
