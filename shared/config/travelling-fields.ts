interface Fields {
  readonly key: string
  readonly versionField?: string | undefined
  readonly includeFields: readonly string[]
  readonly excludeFields: readonly string[]
}

/** Setting and field of all that is cut out of the document itself. */
export function neededFields({ key, versionField }: Fields): [setting: string, field: string][] {
  const needed: [string, string][] = []
  if (key.startsWith('field:')) needed.push(['key', key.slice('field:'.length)])
  if (versionField !== undefined) needed.push(['versionField', versionField])
  return needed
}

/** Whether a field is left in the document when Elasticsearch has filtered it: a pattern also means what is inside. */
export function travels(field: string, { includeFields, excludeFields }: Fields): boolean {
  const isIn = (patterns: readonly string[]) => patterns.some((pattern) => matches(pattern, field))
  return (includeFields.length === 0 || isIn(includeFields)) && !isIn(excludeFields)
}

function matches(pattern: string, field: string): boolean {
  const names = pattern.split('*').map((text) => text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  return new RegExp(`^${names.join('.*')}(\\..*)?$`).test(field)
}
