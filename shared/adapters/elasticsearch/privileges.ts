import { type Client, errors } from '@elastic/elasticsearch'
import type { Settings } from '@freshet/config/schema.ts'
import { z } from 'zod'
import { inShape } from './ask.ts'
import { translateElasticsearchError } from './translate.ts'

const DOING = 'trying privileges'

type Mode = Settings['elasticsearch']['mode']

export interface MissingPrivilege {
  /** As Elasticsearch names it, e.g. `index privilege read`. */
  readonly privilege: string
  /** Indices for which it is missing; empty for one on the cluster. */
  readonly indices: readonly string[]
}

/**
 * What the role lacks, by trying: a role may allow the calls themselves instead of Elasticsearch's named privileges.
 * @param index name, alias or pattern; must exist
 * @throws ELASTICSEARCH_UNREACHABLE, and ELASTICSEARCH_UNAUTHORIZED for a user who is not known at all
 */
export async function missingPrivileges(
  client: Client,
  { index, mode }: Pick<Settings['elasticsearch'], 'index' | 'mode'>,
  signal: AbortSignal,
): Promise<readonly MissingPrivilege[]> {
  const missing: MissingPrivilege[] = []
  const existing = await existingNames(client, { index, mode }, signal)
  if (existing === undefined && mode === 'seqNo')
    missing.push({ privilege: 'cluster privilege monitor', indices: [] })
  const names = existing ?? [index]
  for (const { privilege, modes, call } of PROBES) {
    if (!modes.includes(mode)) continue
    const indices = await refusedNames((name) => call(client, name, signal), names)
    if (indices.length > 0) missing.push({ privilege: `index privilege ${privilege}`, indices })
  }
  return missing
}

/**
 * All open indices behind the name, in order; undefined without the privilege to ask. The cluster state names also those that the
 * role may not read; in timestamp mode, which does without it, they are not known.
 */
async function existingNames(
  client: Client,
  { index, mode }: Pick<Settings['elasticsearch'], 'index' | 'mode'>,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  let names: readonly string[] = []
  const isUnknown = await isRefused(async () => {
    if (mode === 'timestamp')
      names = Object.keys(
        inShape(
          z.record(z.string(), z.unknown()),
          await client.indices.get({ index, filter_path: '*.settings.index.uuid' }, { signal }),
          DOING,
        ),
      )
    else names = await namesInState(client, index, signal)
  })
  return isUnknown ? undefined : [...names].sort()
}

async function namesInState(client: Client, index: string, signal: AbortSignal): Promise<string[]> {
  const answer = await client.transport.request(
    {
      method: 'GET',
      path: `/_cluster/state/metadata/${encodeURIComponent(index)}`,
      querystring: { filter_path: 'metadata.indices.*.state' },
    },
    { signal },
  )
  const { metadata } = inShape(openSchema, answer, DOING)
  const indices = Object.entries(metadata?.indices ?? {})
  return indices.filter(([, { state }]) => state === 'open').map(([name]) => name)
}

const openSchema = z.object({
  metadata: z
    .object({ indices: z.record(z.string(), z.object({ state: z.string() })).optional() })
    .optional(),
})

interface Probe {
  readonly privilege: string
  readonly modes: readonly Mode[]
  readonly call: (client: Client, index: string, signal: AbortSignal) => Promise<unknown>
}

/** A harmless call for each kind that capture makes, beside the cluster state. */
const PROBES: readonly Probe[] = [
  {
    privilege: 'view_index_metadata',
    modes: ['seqNo', 'timestamp'],
    call: (client, index, signal) =>
      client.indices.get({ index, filter_path: '*.settings.index.uuid' }, { signal }),
  },
  {
    privilege: 'monitor',
    modes: ['seqNo'],
    call: (client, index, signal) =>
      client.indices.stats({ index, metric: 'get', filter_path: '_shards' }, { signal }),
  },
  {
    privilege: 'read',
    modes: ['seqNo', 'timestamp'],
    call: (client, index, signal) =>
      client.search({ index, size: 0, track_total_hits: false, terminate_after: 1 }, { signal }),
  },
  {
    privilege: 'maintenance',
    modes: ['seqNo', 'timestamp'],
    call: (client, index, signal) => client.indices.refresh({ index }, { signal }),
  },
]

/** So many names surely fit into the first line of a request, which Elasticsearch limits to 4 kB. */
const NAMES_IN_A_CALL = 10

/** Each index by its own name: a pattern answers for what is permitted and is silent about the rest. */
async function refusedNames(
  call: (names: string) => Promise<unknown>,
  names: readonly string[],
): Promise<readonly string[]> {
  if (names.length === 1) return (await isRefused(() => call(names[0]!))) ? names : []
  const refused: string[] = []
  for (let at = 0; at < names.length; at += NAMES_IN_A_CALL) {
    const some = names.slice(at, at + NAMES_IN_A_CALL)
    if (!(await isRefused(() => call(some.join())))) continue
    for (const name of some) if (await isRefused(() => call(name))) refused.push(name)
  }
  return refused
}

/** Only a lack of privileges counts: an index that is closed, blocked or gone is told of elsewhere. */
async function isRefused(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call()
    return false
  } catch (error) {
    if (!(error instanceof errors.ResponseError) || error.statusCode === 401)
      throw translateElasticsearchError(error, DOING)
    return error.statusCode === 403 && error.body?.error?.type === 'security_exception'
  }
}
