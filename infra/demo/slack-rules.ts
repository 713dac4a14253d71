/** What Slack refuses in a message, and the word that it answers. Sizes are in characters. */
import { z } from 'zod'

const MAX_TEXT = 40_000
/** Undocumented, met by others: everything in the blocks together. */
const MAX_BLOCKS_TEXT = 13_200

const plain = (max: number) => z.object({ type: z.literal('plain_text'), text: z.string().min(1).max(max) })
const anyText = (max: number) =>
  z.object({ type: z.enum(['plain_text', 'mrkdwn']), text: z.string().min(1).max(max) })

const button = z.object({
  type: z.literal('button'),
  text: plain(75),
  url: z.url().max(3_000).optional(),
})

const block = z.discriminatedUnion('type', [
  z.object({ type: z.literal('header'), text: plain(150) }),
  z
    .object({
      type: z.literal('section'),
      text: anyText(3_000).optional(),
      fields: z.array(anyText(2_000)).min(1).max(10).optional(),
    })
    .refine(({ text, fields }) => text !== undefined || fields !== undefined),
  z.object({ type: z.literal('context'), elements: z.array(anyText(2_000)).min(1).max(10) }),
  z.object({ type: z.literal('actions'), elements: z.array(button).min(1).max(25) }),
  z.object({ type: z.literal('divider') }),
])

const payload = z.object({ text: z.string().optional(), blocks: z.array(z.unknown()).optional() })

/** @returns the body of Slack's 400, or null when the message is in order */
export function findFault(message: unknown): string | null {
  const { success, data } = payload.safeParse(message)
  if (!success) return 'invalid_payload'
  const { text = '', blocks = [] } = data
  if (text === '' && blocks.length === 0) return 'no_text'
  if (text.length > MAX_TEXT) return 'msg_too_long'
  if (blocks.length > 50 || !z.array(block).safeParse(blocks).success) return 'invalid_blocks'
  return charactersIn(blocks) > MAX_BLOCKS_TEXT ? 'msg_blocks_too_long' : null
}

function charactersIn(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce<number>((sum, child) => sum + charactersIn(child), 0)
}
