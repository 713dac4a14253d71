import { type ProductionPackage, productionPackages } from './production-packages.ts'

/** They ask for no more than to be named, so Freshet can be used and passed on under Apache-2.0. */
const ALLOWED: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
])

/** `(MIT OR GPL-3.0)` leaves the choice; `MIT AND GPL-3.0` does not, and what says nothing allows nothing. */
export function isAllowed(licence: string | undefined): boolean {
  if (licence === undefined) return false
  const words = licence.replaceAll(/[()]/g, '')
  return words.split(' OR ').some((choice) => choice.split(' AND ').every((name) => ALLOWED.has(name.trim())))
}

/** The table of docs/reference/licences.md. */
export function licenceRows(
  packages: readonly ProductionPackage[] = productionPackages(),
): readonly (readonly string[])[] {
  return packages.map(({ name, version, licence }) => [`\`${name}\``, version, licence ?? 'none is named'])
}
