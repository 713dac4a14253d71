import { findFlockFault } from '@freshet/demo/receivers/flock-rules.ts'
import { findTeamsFault } from '@freshet/demo/receivers/teams-rules.ts'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyNotice, lagNotice } from '../notice.kit.ts'
import { flockMessage, shortFlockMessage } from './flock-message.ts'
import { jsonBody } from './json-body.ts'
import { plainText } from './plain-text.ts'
import { shortTeamsMessage, teamsMessage } from './teams-card.ts'

test('an alert as plain text', () => {
  expect(plainText(lagNotice()).split('\n')).toEqual([
    'FIRING: air-infer is 5 min behind (pipeline air)',
    'critical, since 2025-11-25T19:46:40.000Z',
    'Topic: air.changes',
    'Behind: 5 min, 5,210 records',
    'How bad: ▁▂▃▄▆█ 5 min, threshold 60 s',
    expect.stringMatching(/^For callers: /),
    expect.stringMatching(/^First look: /),
    expect.stringMatching(/^Kibana: https:\/\/kibana\.example\//),
    'Runbook lag: https://git.example/freshet/docs/runbooks/lag.md',
  ])
})

test('an alert as the documented body', () => {
  expect(jsonBody(lagNotice())).toMatchObject({
    version: 1,
    id: 'air/1-0',
    kind: 'alerts',
    pipeline: 'air',
    severity: 'critical',
    headline: 'FIRING: air-infer is 5 min behind',
    at: '2025-11-25T19:46:50.000Z',
    alerts: [
      {
        id: 'lag/air-infer',
        kind: 'lag',
        change: 'firing',
        severity: 'critical',
        since: '2025-11-25T19:46:40.000Z',
        details: { Topic: 'air.changes' },
        measure: { values: [12, 40, 75, 130, 210, 300], unit: 's', threshold: 60 },
      },
    ],
  })
})

test('an alert as a card of Teams: its colour, its figures, its links as buttons', () => {
  const text = JSON.stringify(teamsMessage(lagNotice()))
  expect(text).toContain(
    '"text":"🔴 FIRING: air-infer is 5 min behind","weight":"bolder","size":"large","color":"attention"',
  )
  expect(text).toContain('▁▂▃▄▆█ 5 min, threshold 60 s')
  expect(text).toContain('"type":"Action.OpenUrl","title":"Runbook lag","url":"https://git.example/')
})

test('an alert as a message of Flock, with links that can be clicked', () => {
  const { flockml, notification } = flockMessage(lagNotice()) as { flockml: string; notification: string }
  expect(notification).toBe('🔴 FIRING: air-infer is 5 min behind')
  expect(flockml).toContain('<b>🔴 FIRING: air-infer is 5 min behind (pipeline air)</b><br/>')
  expect(flockml).toContain('<a href="https://git.example/freshet/docs/runbooks/lag.md">')
})

test('a card that would be too large for Teams shows fewer alerts, and says so', () => {
  const item = lagNotice().items[0]!
  const details = Object.fromEntries(Array.from({ length: 6 }, (_, at) => [`${at}`, '🌊'.repeat(300)]))
  const notice = { ...lagNotice(), items: Array(10).fill({ ...item, details }), more: 5 }
  const text = JSON.stringify(teamsMessage(notice))
  expect(Buffer.byteLength(text)).toBeLessThan(22_000)
  expect(text).toMatch(/… and 1[1-4] more: freshet alerts shows all/)
})

test('Teams and Flock refuse no notice, whatever stands in it, in neither form', () => {
  fc.assert(
    fc.property(anyNotice, (notice) => {
      for (const message of [teamsMessage(notice), shortTeamsMessage(notice)])
        expect(findTeamsFault(JSON.stringify(message), message)).toBeNull()
      for (const message of [flockMessage(notice), shortFlockMessage(notice)])
        expect(findFlockFault(message)).toBeNull()
    }),
    { numRuns: 40 },
  )
})
