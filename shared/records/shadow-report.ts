import { z } from 'zod'
import { jsonRecord } from './json-record.ts'
import { momentSchema } from './moment.ts'

/** One row of the sample: a random priority, the score of the promoted model, the score of the shadow. */
const sampled = z.tuple([z.number(), z.number(), z.number()])

const outputSchema = z.object({
  name: z.string(),
  /** Rows for which both models have a score. */
  pairs: z.int(),
  sumCurrent: z.number(),
  sumShadow: z.number(),
  /** Of |shadow - current|. */
  sumAbsoluteDifference: z.number(),
  /** Those of the pairs with the lowest priorities, so that samples of two reports merge into a sample of both. */
  sample: z.array(sampled),
})

/**
 * How a shadow scored beside the promoted model, as `models/shadow/<name>@<version>/report.json`. Everything in it adds
 * up: each scorer adds what it saw since it did so last (shared/model/shadow).
 */
const reportSchema = z.object({
  version: z.literal(1),
  /** `name@version` */
  shadow: z.string(),
  /** Of the promoted model. */
  current: z.string(),
  /** Of the shadow's pointer: reports of another comparison are not to be mixed in. */
  sinceMs: momentSchema,
  /** The last processes that added to it. */
  instances: z.array(z.string()),
  /** When the first and the last row was scored. */
  fromMs: momentSchema,
  toMs: momentSchema,
  /** Given to the shadow: rows that the promoted model scored. */
  rows: z.int(),
  /** Beside them, those that were left out because the shadow was behind. */
  skippedRows: z.int(),
  /** Of `rows`, those without a score of the shadow, by error code. */
  failedRows: z.record(z.string(), z.int()),
  /** Time that the shadow took for `rows`, from document to score. */
  scoringMs: z.number(),
  /** Outputs of both models, by name. */
  outputs: z.array(outputSchema),
})

export type ShadowReport = z.infer<typeof reportSchema>
export type ShadowOutput = ShadowReport['outputs'][number]
export type SampledPair = ShadowOutput['sample'][number]

export const shadowReportRecord = jsonRecord<ShadowReport>('shadow report', 1, reportSchema)

/** @param shadow `name@version` */
export function shadowReportKey(shadow: string): string {
  return `models/shadow/${shadow}/report.json`
}
