/** What `npm ci --omit=dev --workspace @freshet/cli` installs, as the image does: read from package-lock.json. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ProductionPackage {
  readonly name: string
  readonly version: string
  /** As the package says, in the words of SPDX; undefined where it says nothing. */
  readonly licence: string | undefined
}

interface Locked {
  readonly version?: string
  readonly license?: string
  /** Of a workspace: where it lies. */
  readonly link?: boolean
  readonly resolved?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const LOCK = join(import.meta.dirname, '../../package-lock.json')
const FIRST = 'services/cli'

/** By name, then version; our own workspaces are left out. */
export function productionPackages(): readonly ProductionPackage[] {
  const { packages } = JSON.parse(readFileSync(LOCK, 'utf8')) as { packages: Record<string, Locked> }
  const reached = new Set<string>()
  const waiting = [FIRST]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    const { link, resolved, dependencies, optionalDependencies, peerDependencies } = packages[path]!
    if (link) {
      waiting.push(resolved!)
      continue
    }
    for (const name of Object.keys({ ...peerDependencies, ...optionalDependencies, ...dependencies })) {
      const found = whereIs(name, path, packages)
      if (found !== undefined) waiting.push(found)
      else if (dependencies?.[name] !== undefined)
        throw new Error(`${path} needs ${name}, which is not locked`)
    }
  }
  const found = new Map<string, ProductionPackage>() // some lie in several places
  for (const path of reached) {
    const { version = '', license, link } = packages[path]!
    if (link || !path.includes(MODULES)) continue
    const name = path.slice(path.lastIndexOf(MODULES) + MODULES.length)
    found.set(`${name}@${version}`, { name, version, licence: license })
  }
  return [...found.values()].toSorted((a, b) => compare(a.name, b.name) || compare(a.version, b.version))
}

const MODULES = 'node_modules/'

/** As Node looks for it: beside the one who asks, and then further up. */
function whereIs(name: string, from: string, packages: Readonly<Record<string, Locked>>): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (path in packages) return path
    if (folder === '') return undefined
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
