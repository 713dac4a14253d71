import type { Client } from '@elastic/elasticsearch'
import type { Settings } from '@freshet/config/schema.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { z } from 'zod'
import { ask } from './ask.ts'
import { describeIndices } from './describe-indices.ts'
import { type IndexDescription, type Judgement, judgeIndex, judgeTimestampField } from './judge-index.ts'

export interface JudgedIndex extends Judgement {
  readonly name: string
  /** null where a block hides it. */
  readonly description: IndexDescription | null
}

/** What names the indices, and how changes are found in them. */
export type IndexChoice = Pick<Settings['elasticsearch'], 'index' | 'mode' | 'timestampField'>

/**
 * Every index behind the name, alias or pattern, each with what capture can make of it, in the order of their names.
 * An index that comes to a pattern later is judged by calling this again.
 * @throws as describeIndices does
 */
export async function judgeIndices(
  client: Client,
  choice: IndexChoice,
  signal: AbortSignal,
): Promise<readonly JudgedIndex[]> {
  const judged: JudgedIndex[] = []
  const descriptions = [...(await describeIndices(client, choice.index, signal))]
  for (const [name, description] of descriptions.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const judgement = description === null ? hidden(name) : judgeIndex(name, description, choice.mode)
    judged.push({ name, description, ...(await withTimestampField(client, choice, name, judgement, signal)) })
  }
  return judged
}

function hidden(name: string): Judgement {
  const reason = `${name} has index.blocks.metadata: set it to false, and capture goes on where it was`
  return { verdict: 'blocked', reason, notes: [] }
}

async function withTimestampField(
  client: Client,
  { mode, timestampField }: IndexChoice,
  name: string,
  judgement: Judgement,
  signal: AbortSignal,
): Promise<Judgement> {
  if (mode !== 'timestamp' || timestampField === undefined || judgement.verdict !== 'capturable')
    return judgement
  const type = await typeOf(client, name, timestampField, signal)
  return judgeTimestampField(name, judgement, timestampField, type)
}

/** The field's type in one index; undefined where the mapping does not have it, or the index went away meanwhile. */
async function typeOf(
  client: Client,
  index: string,
  field: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const question = {
    path: `/${encodeURIComponent(index)}/_field_caps`,
    querystring: { fields: field }, // the client would say it in the body, which 7.17 does not read
    schema: capabilitiesSchema,
    doing: `looking at ${field} of ${index}`,
  }
  try {
    const { fields } = await ask(client, question, signal)
    return Object.keys(fields[field] ?? {})[0]
  } catch (error) {
    if (isFreshetError(error, 'INDEX_MISSING')) return undefined
    throw error
  }
}

/** By field and type. */
const capabilitiesSchema = z.object({
  fields: z.record(z.string(), z.record(z.string(), z.unknown())),
})
