/** What Slack refuses in a message, and the word that it answers. Sizes are in characters. */
import { z } from 'zod'

const MAX_TEXT = 40_000
/** Undocumented, met by others: everything in the blocks together. */
const MAX_BLOCKS_TEXT = 13_200
const MAX_BLOCKS = 50
const MAX_ATTACHMENTS = 100

/** Slack refuses a field that it does not know, wherever it stands in a block. */
const plain = (max: number) =>
  z.strictObject({
    type: z.literal('plain_text'),
    text: z.string().min(1).max(max),
    emoji: z.boolean().optional(),
  })
const markdown = (max: number) =>
  z.strictObject({
    type: z.literal('mrkdwn'),
    text: z.string().min(1).max(max),
    verbatim: z.boolean().optional(),
  })
const anyText = (max: number) => z.discriminatedUnion('type', [plain(max), markdown(max)])

const name = z.string().max(255).optional()

const button = z.strictObject({
  type: z.literal('button'),
  text: plain(75),
  action_id: name,
  url: z.url().max(3_000).optional(),
  value: z.string().max(2_000).optional(),
  style: z.enum(['primary', 'danger']).optional(),
})

const image = {
  image_url: z.url().max(3_000),
  alt_text: z.string().min(1).max(2_000),
}

const block = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), block_id: name, text: plain(150) }),
  z
    .strictObject({
      type: z.literal('section'),
      block_id: name,
      text: anyText(3_000).optional(),
      fields: z.array(anyText(2_000)).min(1).max(10).optional(),
      accessory: button.optional(),
      expand: z.boolean().optional(),
    })
    .refine(({ text, fields }) => text !== undefined || fields !== undefined),
  z.strictObject({
    type: z.literal('context'),
    block_id: name,
    elements: z
      .array(z.union([anyText(2_000), z.strictObject({ type: z.literal('image'), ...image })]))
      .min(1)
      .max(10),
  }),
  z.strictObject({ type: z.literal('actions'), block_id: name, elements: z.array(button).min(1).max(25) }),
  z.strictObject({ type: z.literal('divider'), block_id: name }),
  z.strictObject({ type: z.literal('image'), block_id: name, title: plain(2_000).optional(), ...image }),
])

const blockList = z
  .array(block)
  .max(MAX_BLOCKS)
  .refine((blocks) => areUnique(blocks.flatMap(({ block_id }) => block_id ?? [])))

const attachment = z.looseObject({
  text: z.string().optional(),
  fallback: z.string().optional(),
  blocks: blockList.optional(),
})

const payload = z.looseObject({
  text: z.string().optional(),
  blocks: z.array(z.unknown()).optional(),
  attachments: z.array(z.unknown()).optional(),
})

/** @returns the body of Slack's 400, or null when the message is in order */
export function findFault(message: unknown): string | null {
  const { success, data } = payload.safeParse(message)
  if (!success) return 'invalid_payload'
  const { text = '', blocks = [], attachments = [] } = data
  if (text === '' && blocks.length === 0 && attachments.length === 0) return 'no_text'
  if (text.length > MAX_TEXT) return 'msg_too_long'
  if (attachments.length > MAX_ATTACHMENTS) return 'too_many_attachments'
  if (!z.array(attachment).safeParse(attachments).success) return 'invalid_attachments'
  if (!blockList.safeParse(blocks).success) return 'invalid_blocks'
  return charactersIn(blocks) > MAX_BLOCKS_TEXT ? 'msg_blocks_too_long' : null
}

function areUnique(names: readonly string[]): boolean {
  return new Set(names).size === names.length
}

function charactersIn(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce<number>((sum, child) => sum + charactersIn(child), 0)
}
