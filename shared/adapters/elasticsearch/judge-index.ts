/** Whether an index can be captured, from its own settings alone. Pure: reading them is describe-indices.ts. */
import type { Settings } from '@freshet/config/schema.ts'

/** What decides about an index, of all that `GET <index>` answers. */
export interface IndexDescription {
  readonly uuid: string
  readonly shards: number
  /** `standard`, `logsdb`, `time_series`, … */
  readonly kind: string
  readonly isClosed: boolean
  /** Searches of it are refused until someone takes the block away. */
  readonly isReadBlocked: boolean
  readonly hasSequenceNumbers: boolean
  /** `synthetic`: Elasticsearch keeps no bytes and builds them anew for each answer. */
  readonly source: 'stored' | 'synthetic' | 'disabled'
  /** The mapping leaves fields out of `_source`. */
  readonly prunesSource: boolean
  /** Mounted from a snapshot repository, restored without what searches need, or frozen. */
  readonly archive: 'searchable snapshot' | 'source-only' | 'frozen' | null
  /** Aliases that show a part of the index only. */
  readonly filteredAliases: readonly string[]
}

export interface Judgement {
  /** `closed` and `blocked` wait until someone opens the index; `refused` cannot be captured as it is. */
  readonly verdict: 'capturable' | 'closed' | 'blocked' | 'refused'
  /** Why not, and the way out; null when it can be captured. */
  readonly reason: string | null
  /** What its owner should know all the same. */
  readonly notes: readonly string[]
}

type Mode = Settings['elasticsearch']['mode']

export function judgeIndex(name: string, description: IndexDescription, mode: Mode): Judgement {
  const notes = notesOn(description)
  const refusal = whyRefused(name, description, mode)
  if (refusal !== undefined) return { verdict: 'refused', reason: refusal, notes }
  if (description.isClosed)
    return {
      verdict: 'closed',
      reason: `${name} is closed: open it, and capture goes on where it was`,
      notes,
    }
  if (description.isReadBlocked)
    return {
      verdict: 'blocked',
      reason: `${name} has index.blocks.read: set it to false, and capture goes on where it was`,
      notes,
    }
  return { verdict: 'capturable', reason: null, notes }
}

function whyRefused(name: string, description: IndexDescription, mode: Mode): string | undefined {
  const { source, hasSequenceNumbers, kind, archive } = description
  if (source === 'disabled')
    return `${name} has _source disabled, so there is no document to score: reindex from where the documents come from into an index that keeps it`
  if (archive !== null) return ARCHIVES[archive](name)
  if (mode === 'timestamp') return undefined
  if (!hasSequenceNumbers)
    return `${name} has index.disable_sequence_numbers: reindex into an index without that setting, ${OR_TIMESTAMPS}`
  // Where it still answers by sequence number today, an upgrade may end that: refused while there is time.
  if (kind === 'time_series')
    return `${name} is a time_series index, whose sequence numbers newer versions of Elasticsearch drop: reindex into a standard or logsdb index, ${OR_TIMESTAMPS}`
  return undefined
}

const OR_TIMESTAMPS = 'or set elasticsearch.mode to timestamp, which promises less (see docs/capture.md)'

/** None of these was tried with capture, so none is promised. */
const ARCHIVES: Readonly<Record<NonNullable<IndexDescription['archive']>, (name: string) => string>> = {
  'searchable snapshot': (name) =>
    `${name} is a searchable snapshot: restore it as a normal index, or keep it out of elasticsearch.index`,
  'source-only': (name) =>
    `${name} was restored from a source-only snapshot, which cannot be searched: reindex it, or keep it out of elasticsearch.index`,
  frozen: (name) => `${name} is frozen, and searches pass over it: unfreeze it with POST ${name}/_unfreeze`,
}

function notesOn({ source, prunesSource, filteredAliases }: IndexDescription): string[] {
  const notes: string[] = []
  if (source === 'synthetic')
    notes.push('synthetic _source: Elasticsearch builds the bytes anew, order and form of fields may differ')
  if (prunesSource) notes.push('its mapping leaves fields out of _source: they do not reach the model')
  for (const alias of filteredAliases)
    notes.push(`the filter of its alias ${alias} is not applied: put it into elasticsearch.filter`)
  return notes
}

/**
 * In timestamp mode, of an index that can be captured otherwise.
 * @param type of the field in this index's mapping; undefined while no document has it
 */
export function judgeTimestampField(
  name: string,
  judgement: Judgement,
  field: string,
  type: string | undefined,
): Judgement {
  if (type === 'date' || type === 'date_nanos') return judgement
  if (type === undefined)
    return { ...judgement, notes: [...judgement.notes, `no document has ${field} yet, so none is found`] }
  const reason = `${name} maps ${field} as ${type}, and timestamp mode needs a date: name another elasticsearch.timestampField, or reindex with {"type": "date", "format": "epoch_millis"} or the format that the field has`
  return { ...judgement, verdict: 'refused', reason }
}
