/** The first few of `names`, and how many more there are: a message stays short however much it is about. */
export function listed(names: readonly (string | number)[], most = 4): string {
  const more = names.length - most
  return `${names.slice(0, most).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
