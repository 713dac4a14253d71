import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

type Imports = ReadonlyMap<string, readonly string[]>

/** Of each file of ours, those that it imports, types too. Paths are relative to `root`. */
export function importsOfFiles(root: string): Imports {
  const rooms = new Map(
    globSync('{services,shared,infra}/*/package.json', { cwd: root }).map((file) => {
      const { name } = JSON.parse(readFileSync(join(root, file), 'utf8')) as { name: string }
      return [name, dirname(file)]
    }),
  )
  const fileOf = (from: string, name: string) => {
    if (name.startsWith('.')) return join(dirname(from), name)
    const [scope, room, ...path] = name.split('/')
    return join(rooms.get(`${scope}/${room}`) ?? '', ...path)
  }
  const files = globSync('{services,shared,infra}/**/*.ts', { cwd: root, exclude: ['**/node_modules/**'] })
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(root, file), 'utf8')
      const names = [...text.matchAll(/(?:from|import\()\s*'((?:\.|@freshet\/)[^']+\.ts)'/g)]
      return [file, names.map((match) => relative(root, join(root, fileOf(file, match[1]!))))]
    }),
  )
}

/** Each circle that is met first, as a path from a file back to it. */
export function circlesOf(imports: Imports): string[] {
  const circles: string[] = []
  const isDone = new Set<string>()
  const walk = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file)
    if (at >= 0) circles.push([...path.slice(at), file].join(' → '))
    if (at >= 0 || isDone.has(file)) return
    for (const imported of imports.get(file) ?? []) walk(imported, [...path, file])
    isDone.add(file)
  }
  for (const file of imports.keys()) walk(file, [])
  return circles
}
