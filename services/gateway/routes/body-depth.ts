import { RequestFault } from './request-fault.ts'

/** Objects and arrays within each other, the body itself counted. */
export const MAX_DEPTH = 64

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

/**
 * Looks at the text of a body before it is parsed: what is nested without end would be walked through by recursion
 * later. Most bodies have fewer brackets than the limit, which a native search tells.
 * @throws REQUEST_INVALID
 */
export function assertShallow(json: string): void {
  if (!hasMoreBrackets(json, MAX_DEPTH)) return
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const char = json.charCodeAt(at)
    if (char === QUOTE) at = endOfText(json, at)
    else if (OPENING.has(char)) {
      if (++depth > MAX_DEPTH) throw tooDeep()
    } else if (CLOSING.has(char)) depth--
  }
}

function hasMoreBrackets(json: string, count: number): boolean {
  let found = 0
  for (const bracket of '{[')
    for (let at = json.indexOf(bracket); at !== -1; at = json.indexOf(bracket, at + 1))
      if (++found > count) return true
  return false
}

/** Where the text that begins at a quote ends; the end of the JSON when it does not. */
function endOfText(json: string, from: number): number {
  for (let at = json.indexOf('"', from + 1); at !== -1; at = json.indexOf('"', at + 1)) {
    let backslashes = 0
    while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return at
  }
  return json.length
}

function tooDeep(): RequestFault {
  const message = `objects and arrays lie more than ${MAX_DEPTH} deep`
  return new RequestFault('REQUEST_INVALID', `the body: ${message}`, [{ at: '', message }])
}
