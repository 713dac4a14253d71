/** What a Teams workflow needs to show a card. Sizes are in bytes. */
import { Buffer } from 'node:buffer'
import { z } from 'zod'

/** Of the message as Teams keeps it, which is about a fifth larger than what was posted. */
const MAX_MESSAGE_BYTES = 28_672
const GROWTH = 1.2

const textRun = z.strictObject({
  type: z.literal('TextRun'),
  text: z.string().min(1),
  weight: z.enum(['lighter', 'default', 'bolder']).optional(),
  size: z.enum(['small', 'default', 'medium', 'large', 'extraLarge']).optional(),
  color: z.enum(['default', 'dark', 'light', 'accent', 'good', 'warning', 'attention']).optional(),
  fontType: z.enum(['default', 'monospace']).optional(),
  isSubtle: z.boolean().optional(),
})

const element = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('RichTextBlock'),
    inlines: z.array(textRun).min(1),
    spacing: z.enum(['none', 'small', 'default', 'medium', 'large']).optional(),
  }),
  z.strictObject({ type: z.literal('TextBlock'), text: z.string().min(1), wrap: z.boolean().optional() }),
])

const card = z.strictObject({
  $schema: z.literal('http://adaptivecards.io/schemas/adaptive-card.json'),
  type: z.literal('AdaptiveCard'),
  version: z.enum(['1.0', '1.1', '1.2', '1.3', '1.4']),
  fallbackText: z.string().optional(),
  msteams: z.strictObject({ width: z.literal('Full') }).optional(),
  body: z.array(element).min(1),
  actions: z
    .array(
      z.strictObject({
        type: z.literal('Action.OpenUrl'),
        title: z.string().min(1),
        url: z.url(),
      }),
    )
    .max(6)
    .optional(),
})

const message = z.strictObject({
  type: z.literal('message'),
  attachments: z
    .array(
      z.strictObject({
        contentType: z.literal('application/vnd.microsoft.card.adaptive'),
        contentUrl: z.null().optional(),
        content: card,
      }),
    )
    .length(1),
})

export type TeamsMessage = z.infer<typeof message>

/** @returns why the run of the workflow fails, or null when the card is shown */
export function findTeamsFault(body: string, payload: unknown): string | null {
  const { error } = message.safeParse(payload)
  if (error !== undefined) return `${error.issues[0]!.path.join('.')}: ${error.issues[0]!.message}`
  return Buffer.byteLength(body) * GROWTH > MAX_MESSAGE_BYTES ? 'MessageSizeExceeded' : null
}
