/** What `doctor` tells of capture: what is promised, and how each index behind the name stands. */
import { checkCapturable } from '@freshet/adapters/elasticsearch/check.ts'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import type { JudgedIndex } from '@freshet/adapters/elasticsearch/judge-indices.ts'
import { translateElasticsearchError } from '@freshet/adapters/elasticsearch/translate.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { type CapturePromise, promisedCapture } from './capture-promise.ts'

export interface CaptureReport extends CapturePromise {
  /** Empty where none could be asked for. */
  readonly indices: readonly IndexReport[]
  /** What can go wrong with these indices under these settings, and the way out. */
  readonly warnings: readonly string[]
}

interface IndexReport extends Pick<JudgedIndex, 'name' | 'verdict' | 'reason' | 'notes'> {
  /** `standard`, `logsdb`, …; null where a block hides it. */
  readonly kind: string | null
  readonly shards: number | null
}

type Elasticsearch = Settings['elasticsearch']

/** @throws as checkCapturable does */
export async function reportCapture(settings: Elasticsearch, signal: AbortSignal): Promise<CaptureReport> {
  await using client = connectElasticsearch(settings)
  const indices: IndexReport[] = []
  for (const judged of await checkCapturable(client, settings, signal)) {
    const { name, description, verdict, reason } = judged
    const notes = [...judged.notes, ...(await notesOnTimestamps(client, settings, judged, signal))]
    const { kind, shards } = description ?? { kind: null, shards: null }
    indices.push({ name, kind, shards, verdict, reason, notes })
  }
  return { ...promisedCapture(settings), indices, warnings: warningsOn(settings, indices) }
}

/** Between indices, which are captured each at its own pace, nothing but a version orders what is written to one key. */
export function warningsOn(
  { key, versionField }: Elasticsearch,
  indices: readonly Pick<IndexReport, 'verdict'>[],
): string[] {
  const captured = indices.filter(({ verdict }) => verdict !== 'refused').length
  if (key === 'index/id' || versionField !== undefined || captured < 2) return []
  return [
    [
      `elasticsearch.key is ${key} and ${captured} indices are captured without elasticsearch.versionField:`,
      'a document that moves to an index whose capture began earlier loses its score,',
      'since both its new copy and its later writes count as older than the delete of the old copy.',
      'Set elasticsearch.versionField, unless no key ever stands in two of these indices',
    ].join(' '),
  ]
}

/** An index that cannot be captured is wrong even where others can: nobody else would ask for the way out. */
export function complaintOf({ indices }: CaptureReport): FreshetError | undefined {
  const reasons = indices.filter(({ verdict }) => verdict === 'refused').map(({ reason }) => reason)
  if (reasons.length === 0) return undefined
  return new FreshetError(
    'INDEX_NOT_CAPTURABLE',
    `${reasons.length} of ${indices.length} indices are left out: ${reasons.join('; ')}`,
  )
}

export function describeCapture({ promise, scope, privileges, indices, warnings }: CaptureReport): string[] {
  return [
    ...(promise === null ? [] : [promise]),
    `scope: ${scope}`,
    `privileges: ${privileges}`,
    ...indices.map(describeIndex),
    ...warnings.map((warning) => `warning: ${warning}`),
  ]
}

function describeIndex({ name, kind, shards, verdict, reason, notes }: IndexReport): string {
  const what = kind === null ? name : `${name} (${kind}, ${shards} ${shards === 1 ? 'shard' : 'shards'})`
  return [`${what}: ${reason ?? verdict}`, ...notes].join('; ')
}

/** What timestamp mode never finds, or not yet. */
async function notesOnTimestamps(
  client: ReturnType<typeof connectElasticsearch>,
  { mode, timestampField: field }: Elasticsearch,
  { name: index, verdict }: JudgedIndex,
  signal: AbortSignal,
): Promise<string[]> {
  if (mode !== 'timestamp' || field === undefined || verdict !== 'capturable') return []
  try {
    const count = async (query: object) => (await client.count({ index, query }, { signal })).count
    const without = await count({ bool: { must_not: [{ exists: { field } }] } })
    const future = await count({ range: { [field]: { gt: 'now' } } })
    return [
      ...(without === 0 ? [] : [`documents without ${field}, which are never found: ${without}`]),
      ...(future === 0 ? [] : [`documents dated in the future, which wait until then: ${future}`]),
    ]
  } catch (error) {
    throw translateElasticsearchError(error, `counting documents of ${index}`)
  }
}
