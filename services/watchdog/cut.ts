/** Text as it is, in at most so many UTF-16 units and without half a sign; what was left out shows as `…`. */
export function cut(text: string, maxCharacters: number): string {
  return escapeWithin(text, maxCharacters, {})
}

/** Escaped sign by sign, and cut without splitting what a sign became or a surrogate pair. */
export function escapeWithin(
  text: string,
  maxCharacters: number,
  entities: Readonly<Record<string, string>>,
): string {
  let escaped = ''
  /** As far as it may go when a `…` has to follow. */
  let head = ''
  for (const sign of text.toWellFormed()) {
    escaped += entities[sign] ?? sign
    if (escaped.length > maxCharacters) return `${head}…`
    if (escaped.length < maxCharacters) head = escaped
  }
  return escaped
}
