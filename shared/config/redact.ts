import { SECRETS, type Settings } from './schema.ts'

/** Settings as they may be shown: secrets and the passwords in URLs are replaced. */
export function redactSettings(settings: Settings): unknown {
  return redact(settings, '')
}

/** `redis://user:secret@host` → `redis://user:***@host`. */
export function redactUrl(url: string): string {
  return url.replace(/(^[a-z][a-z0-9+.-]*:\/\/[^/@:]*:)[^/@]*@/i, '$1***@')
}

function redact(value: unknown, path: string): unknown {
  if (value !== undefined && SECRETS.includes(path)) return '***'
  if (typeof value === 'string') return redactUrl(value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [
      name,
      redact(child, path === '' ? name : `${path}.${name}`),
    ]),
  )
}
