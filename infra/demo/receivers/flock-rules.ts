/** What Flock's incoming webhooks take: a text, FlockML or both. */
import { z } from 'zod'

const MAX_CHARACTERS = 32_768

const message = z.looseObject({
  text: z.string().min(1).max(MAX_CHARACTERS).optional(),
  flockml: z.string().min(1).max(MAX_CHARACTERS).optional(),
  notification: z.string().optional(),
})

export type FlockMessage = z.infer<typeof message>

/** @returns the name of the field that is wrong, or null when the message is shown */
export function findFlockFault(payload: unknown): string | null {
  const { success, data, error } = message.safeParse(payload)
  if (!success) return String(error.issues[0]!.path[0] ?? 'text')
  if (data.text === undefined && data.flockml === undefined) return 'text'
  return data.flockml === undefined || isFlockMl(data.flockml) ? null : 'flockml'
}

const ELEMENTS = new Set(['flockml', 'a', 'em', 'i', 'strong', 'b', 'u', 'br', 'user', 'action'])
const TOKEN = /<(\/?)([a-z]+)((?:\s+[a-zA-Z]+="[^"<]*")*)\s*(\/?)>|[^<]+|</g
const ENTITY = /&(?!(?:amp|lt|gt|quot|apos|#\d+);)/
const FORBIDDEN = /[^\P{Cc}\t\r\n]|[\uFFFE\uFFFF]|\p{Cs}/u

/** Whether it is well-formed, has one root, and only elements that Flock knows. */
function isFlockMl(text: string): boolean {
  if (ENTITY.test(text) || FORBIDDEN.test(text)) return false
  const open: string[] = []
  let roots = 0
  for (const [token, slash, element, , selfClosing] of text.matchAll(TOKEN)) {
    if (element === undefined) {
      if (token === '<' || open.length === 0) return false
    } else if (!ELEMENTS.has(element) || (open.length === 0) !== (element === 'flockml' && slash === '')) {
      return false
    } else if (slash !== '') {
      if (open.pop() !== element) return false
    } else if (selfClosing === '') {
      if (open.length === 0) roots++
      open.push(element)
    }
  }
  return open.length === 0 && roots === 1
}
