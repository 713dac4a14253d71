/**
 * Finds what a schema does not know. The Kubernetes schemas let unknown fields pass, as the server does, which then forgets
 * them without a word; a validator made from a schema looks at every field that it knows, so the others are those that
 * it never looked at.
 */
export function unseenFields(value: object, look: (value: unknown) => void): string[] {
  const seen = new Set<string>()
  look(watched(value, '', seen))
  return pathsOf(value, '').filter((path) => !seen.has(path))
}

function watched(value: unknown, path: string, seen: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value
  return new Proxy(value, {
    get(target, name, receiver) {
      const field = Reflect.get(target, name, receiver)
      if (typeof name === 'symbol' || !Object.hasOwn(target, name)) return field
      const at = `${path}/${name}`
      seen.add(at)
      return watched(field, at, seen)
    },
  })
}

/** Of every field, however deep. */
function pathsOf(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, field]) => [
    `${path}/${name}`,
    ...pathsOf(field, `${path}/${name}`),
  ])
}
