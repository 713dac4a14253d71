/**
 * A finder for the value that a JSON pointer (RFC 6901) names; undefined where there is none.
 * @param pointer one or more tokens, as the model's spec has checked.
 */
export function compilePointer(pointer: string): (root: object) => unknown {
  const tokens = pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (tokens.length === 1) return (root) => child(root, tokens[0]!)
  return (root) => {
    let value: unknown = root
    for (const token of tokens) {
      if (typeof value !== 'object' || value === null) return undefined
      value = child(value, token)
    }
    return value
  }
}

/** Own properties only: no document has a field `constructor` unless it says so. */
function child(parent: object, token: string): unknown {
  if (Array.isArray(parent) && !/^(0|[1-9]\d*)$/.test(token)) return undefined
  return Object.hasOwn(parent, token) ? (parent as Record<string, unknown>)[token] : undefined
}
