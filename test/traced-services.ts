import type { Stack } from './stack.ts'

/** Services of which spans can be found in Elasticsearch. */
export async function tracedServices(stack: Stack): Promise<Set<string>> {
  const buckets = await terms(stack, 'resource.attributes.service.name')
  return new Set(buckets.map(({ key }) => key))
}

/** The names of all spans that can be found. */
export async function spanNames(stack: Stack): Promise<Set<string>> {
  return new Set((await terms(stack, 'name')).map(({ key }) => key))
}

/** Of the documents that are traced as one in so many: the steps that each has left, by trace. */
export async function sampledSteps({ client, settings }: Stack): Promise<Map<string, Set<string>>> {
  const index = await refreshed({ client, settings })
  const { hits } = await client.search<{ trace_id: string; attributes: Record<string, string> }>({
    index,
    size: 1_000,
    query: { term: { 'attributes.freshet.trace.reason': 'sample' } },
  })
  const steps = new Map<string, Set<string>>()
  for (const { _source } of hits.hits) {
    const { trace_id: trace, attributes } = _source!
    steps.set(trace, (steps.get(trace) ?? new Set()).add(attributes['freshet.document.step']!))
  }
  return steps
}

async function terms(stack: Stack, field: string): Promise<{ key: string }[]> {
  const index = await refreshed(stack)
  const { aggregations } = await stack.client.search({
    index,
    size: 0,
    aggs: { values: { terms: { field, size: 100 } } },
  })
  return (aggregations!['values'] as unknown as { buckets: { key: string }[] }).buckets
}

async function refreshed({ client, settings }: Pick<Stack, 'client' | 'settings'>): Promise<string> {
  const index = `traces-*${settings.telemetry.namespace}*`
  await client.indices.refresh({ index })
  return index
}
