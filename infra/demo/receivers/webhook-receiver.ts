import { z } from 'zod'
import { parseJson, type Receiver, startReceiver } from './receiver.ts'

const time = z.iso.datetime()
const link = z.strictObject({ label: z.string(), url: z.string().min(1) })
const figures = z.record(z.string(), z.string())

/** The documented body of the generic webhook. */
const message = z.strictObject({
  version: z.literal(1),
  id: z.string().min(1),
  kind: z.enum(['alerts', 'daily']),
  pipeline: z.string().min(1),
  severity: z.enum(['critical', 'warning', 'good']),
  headline: z.string().min(1),
  text: z.string().min(1),
  at: time,
  figures,
  alerts: z.array(
    z.strictObject({
      id: z.string(),
      kind: z.string(),
      change: z.enum(['firing', 'reminder', 'flapping', 'resolved']),
      severity: z.enum(['critical', 'warning']),
      title: z.string(),
      since: time,
      details: figures,
      measure: z
        .strictObject({
          values: z.array(z.number().nullable()).min(1),
          unit: z.string(),
          threshold: z.number(),
        })
        .nullable(),
      effect: z.string().nullable(),
      first_look: z.string().nullable(),
      remarks: z.array(z.string()),
      links: z.array(link),
    }),
  ),
  more_alerts: z.int().min(0),
  remarks: z.array(z.string()),
  links: z.array(link),
})

export type WebhookMessage = z.infer<typeof message>

export interface WebhookReceiverOptions {
  readonly port: number
  /** What every post must carry. */
  readonly authorization?: string
}

/** Whoever takes the generic webhook: strict about its form, and shows what it has already seen only once. */
export async function startWebhookReceiver({
  port,
  authorization,
}: WebhookReceiverOptions): Promise<Receiver<WebhookMessage>> {
  const seen = new Set<string>()
  return await startReceiver<WebhookMessage>({
    port,
    path: '/hook/local',
    elsewhere: { status: 404, body: 'no such hook' },
    take({ body, headers }) {
      if (headers.authorization !== authorization) return { answer: { status: 401, body: 'not authorized' } }
      const { success, data, error } = message.safeParse(parseJson(body))
      if (!success) return { answer: { status: 422, body: error.issues[0]!.path.join('.') } }
      const isNew = !seen.has(data.id)
      seen.add(data.id)
      return { answer: { status: 204, body: '' }, ...(isNew && { message: data }) }
    },
  })
}
