import { z } from 'zod'

const identity = {
  name: z.string(),
  version: z.string(),
  sha256: z.string().meta({ description: 'Of model.onnx, in hex.' }),
}

/** What `GET /v1/model` tells. */
export const modelPageSchema = z
  .strictObject({
    model: z.string().meta({ description: '`name@version`, as answers have it.' }),
    ...identity,
    generation: z
      .int()
      .meta({ description: 'Counts promotions: a score of a higher one outranks those of lower ones.' }),
    promoted_at: z.iso.datetime().meta({ description: 'Since when it is the promoted one.' }),
    inputs: z
      .record(z.string(), z.unknown())
      .meta({ description: 'What it looks at in a document, as its model.json says.' }),
    outputs: z
      .array(z.record(z.string(), z.unknown()))
      .meta({ description: 'What it answers, as its model.json says; `score` is the first.' }),
    shadow: z
      .strictObject({ model: z.string(), ...identity, since: z.iso.datetime() })
      .nullable()
      .meta({ description: 'Scores beside it, for comparison only; null when none does, or none is known.' }),
    degraded: z.boolean().meta({
      description: 'True when another is promoted and does not serve, or the promotion is not known.',
    }),
    reason: z.string().optional().meta({ description: 'The code of what is in its way.' }),
  })
  .meta({ id: 'Model' })

export type ModelPage = z.infer<typeof modelPageSchema>
