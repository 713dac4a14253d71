import { expect, test } from 'vitest'
import { dashboardLink, kibanaForPeople, sessionLink } from './links.ts'

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
  const link = new URL(dashboardLink(KIBANA, { fromMs, toMs }))
  expect(link.pathname).toBe('/s/team/app/dashboards')
  expect(decodeURIComponent(link.hash)).toBe(
    `#/view/freshet-overview?_g=(time:(from:'2026-02-03T10:00:00.000Z',to:'2026-02-03T11:00:00.000Z'))`,
  )
})

test('a link opens a saved session, with its own query', () => {
  expect(decodeURIComponent(sessionLink(KIBANA, 'slowRequests', { fromMs, toMs: 'now' }))).toBe(
    `${KIBANA}/app/discover#/view/freshet-slow-requests?_g=(time:(from:'2026-02-03T10:00:00.000Z',to:'now'))`,
  )
})

test('no sign of an address ends it in a chat program', () => {
  for (const address of [
    dashboardLink(KIBANA, { fromMs, toMs: 'now' }),
    sessionLink(KIBANA, 'fallbacks', { fromMs, toMs }),
  ])
    expect(address).toMatch(/^https:\/\/[\w\-./#?=&%~]+$/)
})
