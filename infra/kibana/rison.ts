/** What the state in an address of Kibana is made of. */
export type RisonValue =
  | string
  | number
  | boolean
  | null
  | readonly RisonValue[]
  | { readonly [name: string]: RisonValue }

/** The notation of Kibana's addresses: JSON with `!` as escape and without most quotes. Texts are always quoted here. */
function toRison(value: RisonValue): string {
  if (value === null) return '!n'
  if (typeof value === 'boolean') return value ? '!t' : '!f'
  if (typeof value === 'number') return String(value).replace('+', '')
  if (typeof value === 'string') return quoted(value)
  if (isList(value)) return `!(${value.map(toRison).join(',')})`
  return `(${Object.entries(value)
    .map(([name, child]) => `${/^[a-z]\w*$/i.test(name) ? name : quoted(name)}:${toRison(child)}`)
    .join(',')})`
}

/** Quotes and brackets too: chat programs end an address at them. */
export function risonInAddress(state: RisonValue): string {
  return encodeURIComponent(toRison(state).toWellFormed()).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[!']/g, '!$&')}'`
}

function isList(value: RisonValue): value is readonly RisonValue[] {
  return Array.isArray(value)
}
