/**
 * What makes Kibana refuse a file of saved objects, or import it and show broken panels. Nothing here has been tried with
 * a Kibana: the rules are those that its source states (docs/decisions/0026-kibana-without-a-kibana.md).
 */
import { checkDashboard } from './check-dashboard.kit.ts'
import { checkDataView } from './check-data-view.kit.ts'
import { checkLens } from './check-lens.kit.ts'
import { checkSession } from './check-session.kit.ts'
import { envelopeSchema, KNOWN_TYPES, type ReadObject, type Tell, tellShape } from './envelope.kit.ts'

/** @returns one sentence for each thing that is wrong, none where all is well. */
export function checkExport(text: string): readonly string[] {
  const wrong: string[] = []
  const objects = readLines(text, (what) => wrong.push(what))
  const there = new Set(objects.map(nameOf))
  for (const object of objects) {
    const tell = (what: string) => wrong.push(`${nameOf(object)}: ${what}`)
    for (const reference of object.references)
      if (!there.has(nameOf(reference))) tell(`refers to ${nameOf(reference)}, which is not in the file`)
    for (const [at, { name }] of object.references.entries())
      if (object.references.findIndex((other) => other.name === name) < at)
        tell(`two references are called ${name}`)
    CHECKS[object.type]?.(object, tell)
  }
  tellDoubles(objects, (what) => wrong.push(what))
  return wrong
}

const CHECKS: Readonly<Record<string, (object: ReadObject, tell: Tell) => void>> = {
  'index-pattern': checkDataView,
  search: checkSession,
  lens: checkLens,
  dashboard: checkDashboard,
}

function readLines(text: string, tell: Tell): readonly ReadObject[] {
  if (!text.endsWith('\n')) tell('the last line has no end')
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line, at) => {
      const tellOfLine = (what: string) => tell(`line ${at + 1}: ${what}`)
      let value: unknown
      try {
        value = JSON.parse(line)
      } catch {
        tellOfLine('is not JSON')
        return []
      }
      const object = tellShape(envelopeSchema, value, tellOfLine)
      if (object === undefined) return []
      if (!KNOWN_TYPES.includes(object.type))
        tellOfLine(`the type ${object.type} is none of ${KNOWN_TYPES.join(', ')}`)
      return [object]
    })
}

/** An import with the same type and id twice is refused as a whole; the same title twice confuses people. */
function tellDoubles(objects: readonly ReadObject[], tell: Tell): void {
  const names = new Set<string>()
  const titles = new Set<string>()
  for (const object of objects) {
    const title = `${object.type} called ${object.attributes['name'] ?? object.attributes['title']}`
    if (names.has(nameOf(object))) tell(`${nameOf(object)}: is there twice`)
    else if (titles.has(title)) tell(`${nameOf(object)}: there is another ${title}`)
    names.add(nameOf(object))
    titles.add(title)
  }
}

function nameOf({ type, id }: { readonly type: string; readonly id: string }): string {
  return `${type} ${id}`
}
