import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dashboardLink, discoverLink, kibanaForPeople, kqlIs, sessionLink } from './links.ts'

const KIBANA = 'https://kibana.example/s/team'
const fromMs = Date.UTC(2026, 1, 3, 10)
const toMs = fromMs + 3_600_000

function kibana(settings: { url?: string; publicUrl?: string }): string | undefined {
  return kibanaForPeople({ kibana: { waitSeconds: 1, ...settings } })
}

test('there are no links without a Kibana, and never a password in one', () => {
  expect(kibana({})).toBeUndefined()
  expect(kibana({ url: 'http://freshet:secret@kibana:5601/s/team/' })).toBe('http://kibana:5601/s/team')
  expect(kibana({ url: 'http://kibana:5601', publicUrl: KIBANA })).toBe(KIBANA)
})

test('a link opens the dashboard on a stretch of time', () => {
  const link = new URL(dashboardLink(KIBANA, { fromMs, toMs, query: kqlIs('freshet.stage', 'infer') }))
  expect(link.pathname).toBe('/s/team/app/dashboards')
  expect(decodeURIComponent(link.hash)).toBe(
    `#/view/freshet-overview?_g=(time:(from:'2026-02-03T10:00:00.000Z',to:'2026-02-03T11:00:00.000Z'))&_a=(query:(language:'kuery',query:'freshet.stage : "infer"'))`,
  )
})

test('a link opens a saved session, with its own query or another', () => {
  expect(decodeURIComponent(sessionLink(KIBANA, 'slowRequests', { fromMs, toMs: 'now' }))).toBe(
    `${KIBANA}/app/discover#/view/freshet-slow-requests?_g=(time:(from:'2026-02-03T10:00:00.000Z',to:'now'))`,
  )
})

test('a link opens logs or traces', () => {
  expect(decodeURIComponent(discoverLink(KIBANA, 'logs', { fromMs, toMs }))).toContain(
    `&_a=(dataSource:(type:'dataView',dataViewId:'freshet-logs'),sort:!(!('@timestamp','desc')))`,
  )
})

test('a value stands in KQL as it is', () => {
  expect(kqlIs('freshet.key', 'a "b"\\c')).toBe('freshet.key : "a \\"b\\"\\\\c"')
  expect(kqlIs('freshet.answer.late', true)).toBe('freshet.answer.late : true')
})

test('whatever is asked for, no sign of the address ends it in a chat program', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const link = discoverLink(KIBANA, 'traces', { fromMs, toMs, query: kqlIs('freshet.key', value) })
      expect(link).toMatch(/^https:\/\/[\w\-./#?=&%~]+$/)
      const state = decodeURIComponent(/&_a=(.*)$/.exec(link)![1]!)
      expect(state).toContain(kqlIs('freshet.key', value).replaceAll(/[!']/g, '!$&'))
    }),
  )
})
