import type { ParameterSettings, ValueSettings } from '@freshet/config/gateway-rank.ts'
import { parseTimeMs } from '@freshet/model/features/parse-time.ts'

/** What stands in a query in the place of a parameter: never an object, so it cannot bring a clause with it. */
type Single = string | number | boolean
export type ParameterValue = Single | readonly Single[]

/** A value, or what it should have been. */
export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly wanted: string }

/** Takes a value only when it is of the parameter's type and within its bounds; converts nothing. */
export function readParameter(declared: ParameterSettings, value: unknown): Read<ParameterValue> {
  return declared.type === 'list' ? readList(declared, value) : readSingle(declared, value)
}

function readList(
  { of, minItems, maxItems }: ParameterSettings & { type: 'list' },
  value: unknown,
): Read<readonly Single[]> {
  if (!Array.isArray(value) || value.length < minItems || value.length > maxItems)
    return { ok: false, wanted: `a list of ${minItems} to ${maxItems} values` }
  const singles: Single[] = []
  for (const one of value) {
    const read = readSingle(of, one)
    if (!read.ok) return { ok: false, wanted: `a list in which each is ${read.wanted}` }
    singles.push(read.value)
  }
  return { ok: true, value: singles }
}

function readSingle(declared: ValueSettings, value: unknown): Read<Single> {
  switch (declared.type) {
    case 'string':
      return isTextWithin(declared, value)
        ? { ok: true, value }
        : { ok: false, wanted: textInWords(declared) }
    case 'boolean':
      return typeof value === 'boolean' ? { ok: true, value } : { ok: false, wanted: 'true or false' }
    case 'date':
      return isDate(value)
        ? { ok: true, value }
        : { ok: false, wanted: 'an ISO 8601 date, or now-1d and such' }
    default:
      return isNumberWithin(declared, value)
        ? { ok: true, value }
        : { ok: false, wanted: numberInWords(declared) }
  }
}

type Text = ValueSettings & { type: 'string' }

function isTextWithin({ minLength, maxLength, oneOf }: Text, value: unknown): value is string {
  if (typeof value !== 'string' || !value.isWellFormed()) return false
  return value.length >= minLength && value.length <= maxLength && (oneOf?.includes(value) ?? true)
}

function textInWords({ minLength, maxLength, oneOf }: Text): string {
  return oneOf === undefined
    ? `text of ${minLength} to ${maxLength} characters`
    : `one of ${oneOf.join(', ')}`
}

type Numeric = ValueSettings & { type: 'number' | 'integer' }

function isNumberWithin({ type, min = -Infinity, max = Infinity }: Numeric, value: unknown): value is number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max) return false
  return type === 'number' || Number.isSafeInteger(value)
}

function numberInWords({ type, min, max }: Numeric): string {
  const words = [type === 'integer' ? 'a whole number' : 'a number']
  if (min !== undefined) words.push(`from ${min}`)
  if (max !== undefined) words.push(`up to ${max}`)
  return words.join(' ')
}

const DATE_MATH = /^now([+-]\d{1,6}[yMwdhHms])*(\/[yMwdhHms])?$/
const LONGEST_DATE = 64

function isDate(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > LONGEST_DATE) return false
  return DATE_MATH.test(value) || !Number.isNaN(parseTimeMs(value))
}
