import { expect, test } from 'vitest'
import { DATA_VIEWS } from './data-views.ts'

test('the id of a trace leads to its spans, the key of a document to its journey', () => {
  const links = DATA_VIEWS.flatMap(({ name, formats }) =>
    Object.entries(formats).flatMap(([field, format]) =>
      format.id === 'url' ? [[`${name} ${field}`, format.params['urlTemplate']!] as const] : [],
    ),
  )
  const toSpans = `discover#/?_a=(dataSource:(type:'dataView',dataViewId:'freshet-traces'),columns:!('service.name','name','duration','status.code'),query:(language:'kuery',query:'trace_id : "{{value}}"'),sort:!(!('@timestamp','asc')))`
  const toJourney = `discover#/view/freshet-document-journey?_a=(query:(language:'kuery',query:'freshet.key : "{{value}}"'))`
  expect(Object.fromEntries(links.map(([name, link]) => [name, decodeURIComponent(link)]))).toEqual({
    'traces trace_id': toSpans,
    'logs trace_id': toSpans,
    'traces freshet.key': toJourney,
    'logs freshet.key': toJourney,
  })
  for (const [, link] of links) expect(link).toMatch(/\{\{value\}\}/)
})
