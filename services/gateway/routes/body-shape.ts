import { RequestFault } from './request-fault.ts'

/** Objects and arrays within each other, the body itself counted. */
export const MAX_DEPTH = 64
/** Fields and elements in all. Parsing holds up everybody: so many take some 5 ms, a body of nothing else 30. */
export const MAX_VALUES = 100_000

const QUOTE = 0x22
const COMMA = 0x2c
const OPENS_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSES_ARRAY = 0x5d
const OPENS_OBJECT = 0x7b
const CLOSES_OBJECT = 0x7d

/**
 * Looks at the text of a body before it is parsed: what is nested without end would be walked through by recursion
 * later, and what has values without end holds up the loop. Most bodies are shorter than so many values, and have fewer
 * brackets than the limit, which a native search tells.
 * @throws REQUEST_INVALID
 */
export function assertModest(json: string): void {
  if (json.length < 2 * MAX_VALUES && !hasMoreBrackets(json, MAX_DEPTH)) return
  let depth = 0
  let values = 1
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case QUOTE:
        at = endOfText(json, at)
        break
      case COMMA:
        if (++values > MAX_VALUES) throw refused(`there are more than ${MAX_VALUES} values`)
        break
      case OPENS_ARRAY:
      case OPENS_OBJECT:
        values++
        if (++depth > MAX_DEPTH) throw refused(`objects and arrays lie more than ${MAX_DEPTH} deep`)
        break
      case CLOSES_ARRAY:
      case CLOSES_OBJECT:
        depth--
    }
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
  const next = json.indexOf('"', from + 1)
  if (next === -1) return json.length
  if (json.charCodeAt(next - 1) !== BACKSLASH) return next
  for (let at = from + 1; at < json.length; at++) {
    const char = json.charCodeAt(at)
    if (char === QUOTE) return at
    if (char === BACKSLASH) at++
  }
  return json.length
}

function refused(message: string): RequestFault {
  return new RequestFault('REQUEST_INVALID', `the body: ${message}`, [{ at: '', message }])
}
