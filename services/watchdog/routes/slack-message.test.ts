import { findFault } from '@freshet/demo/slack-rules.ts'
import type { AlertMessage, Finding } from '@freshet/records/alert-state.ts'
import { FINDING_KINDS } from '@freshet/records/alert-state.ts'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeWithin, slackMessage } from './slack-message.ts'

const SINCE_MS = 1_764_100_000_000

const finding: Finding = {
  id: 'lag/air-infer',
  kind: 'lag',
  severity: 'critical',
  forSeconds: 10,
  title: 'air-infer is 5 min behind',
  details: { Topic: 'air.changes', Behind: '5 min, 5,210 records' },
}
const lag: AlertMessage = {
  id: '1-0',
  change: 'firing',
  atMs: SINCE_MS + 10_000,
  alerts: [{ finding, sinceMs: SINCE_MS, measures: [] }],
  more: 0,
  begunAtMs: null,
}

test('an alert says what, how bad, since when, what it means and where to look', () => {
  expect(slackMessage(lag, 'air')).toEqual({
    text: 'FIRING: air-infer is 5 min behind (pipeline air)',
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: 'FIRING: air-infer is 5 min behind' } },
      {
        type: 'section',
        fields: [
          { type: 'mrkdwn', text: '*Topic*\nair.changes' },
          { type: 'mrkdwn', text: '*Behind*\n5 min, 5,210 records' },
          {
            type: 'mrkdwn',
            text: '*Since*\n<!date^1764100000^{date_short_pretty}, {time_secs}|2025-11-25T19:46:40.000Z>',
          },
        ],
      },
      {
        type: 'section',
        text: {
          type: 'mrkdwn',
          text: expect.stringMatching(
            /^\*Effect:\* scores or snapshots are stale.*\n\*First look:\* `freshet status`/,
          ),
        },
      },
      { type: 'context', elements: [{ type: 'mrkdwn', text: 'pipeline air · lag/air-infer' }] },
    ],
  })
})

test('the end of an alert says how long it lasted', () => {
  const { text } = slackMessage({ ...lag, change: 'resolved', atMs: SINCE_MS + 600_000 }, 'air')
  expect(text).toBe('RESOLVED after 10 min: air-infer is 5 min behind (pipeline air)')
})

test('what is known of this very trouble stands in the place of what goes for its kind', () => {
  const advice = { effect: 'callers get stored scores', firstLook: 'push <it> again' }
  const { blocks } = slackMessage(
    { ...lag, alerts: [{ ...lag.alerts[0]!, finding: { ...finding, advice } }] },
    'air',
  )
  expect(JSON.stringify(blocks)).toContain('callers get stored scores\\n*First look:* push &lt;it&gt; again')
})

test('Slack refuses no alert, whatever stands in it', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 3_000 }),
    fc.constant('<&>'.repeat(2_000)),
    fc.constant('🌊'.repeat(3_000)),
  )
  const alert = fc.record({
    finding: fc.record({
      id: text,
      kind: fc.constantFrom(...FINDING_KINDS),
      severity: fc.constantFrom('critical', 'warning'),
      forSeconds: fc.constant(10),
      title: text,
      details: fc.dictionary(fc.string(), text, { maxKeys: 15 }),
      advice: fc.record({ effect: text, firstLook: text }),
    }),
    sinceMs: fc.constant(SINCE_MS),
    measures: fc.array(fc.double()),
  })
  const message = fc.record({
    id: fc.constant('1-0'),
    change: fc.constantFrom('firing', 'reminder', 'flapping', 'resolved'),
    atMs: fc.constant(SINCE_MS + 1),
    alerts: fc.array(alert, { minLength: 1, maxLength: 3 }),
    more: fc.nat(),
    begunAtMs: fc.constant(null),
  })
  fc.assert(
    fc.property(message, (each) => {
      expect(findFault(slackMessage(each, 'air'))).toBeNull()
    }),
    { numRuns: 40 },
  )
})

test('what is cut is cut between characters and never inside an entity', () => {
  expect(escapeWithin('a<b', 20)).toBe('a&lt;b')
  expect(escapeWithin('aaa<b', 6)).toBe('aaa…')
  expect(escapeWithin('aa🌊🌊', 4)).toBe('aa…')
})
