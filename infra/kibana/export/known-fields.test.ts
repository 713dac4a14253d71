import { OPTIONAL_TYPES, otelMappings } from '@freshet/telemetry/elasticsearch/mappings.ts'
import { expect, test } from 'vitest'
import { OVERVIEW } from '../describe/overview.ts'
import { SESSIONS } from '../describe/sessions.ts'
import { fieldsOfKql, parseKql } from '../kql/parse-kql.kit.ts'

interface Mapped {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Mapped>>
}

/** Every name that a query may use: fields of passthrough objects answer without its name. */
function namesIn({ properties = {} }: Mapped, path = ''): string[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const own = field.type === 'passthrough' ? path : `${path}${name}.`
    return field.properties === undefined ? [`${path}${name}`] : namesIn(field, own === '' ? path : own)
  })
}

test('what views ask for is mapped by the template: Kibana shows "no results", never "field not found"', () => {
  const known = new Set(namesIn(otelMappings(new Set(OPTIONAL_TYPES)) as Mapped))
  // Those of a resource answer at the root, too.
  for (const name of [...known]) if (name.startsWith('resource.')) known.add(name.slice('resource.'.length))
  const asked = [
    ...OVERVIEW.placed.flatMap(({ panel: { query, groups, figures } }) => [
      ...fieldsOfKql(parseKql(query)),
      ...groups.map(({ field }) => field),
      ...figures.flatMap(({ figure, where = '' }) => [
        ...('of' in figure ? [figure.of] : []),
        ...fieldsOfKql(parseKql(where)),
      ]),
    ]),
    ...SESSIONS.flatMap(({ query, columns, sort }) => [...fieldsOfKql(parseKql(query)), ...columns, sort[0]]),
  ]
  expect([...new Set(asked)].filter((field) => !known.has(field))).toEqual([])
})
