import { findFault } from '@freshet/demo/slack-rules.ts'
import type { AlertMessage } from '@freshet/records/alert-state.ts'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { alertNotice } from '../alert-to-notice.ts'
import { anyNotice, CONTEXT, lagFinding, lagMessage, lagNotice, SINCE_MS, told } from '../notice.kit.ts'
import { slackMessage } from './slack-blocks.ts'

test('an alert says what, how bad, since when, what it means, and where to look', () => {
  const { text, blocks } = slackMessage(lagNotice())
  expect(text).toBe('FIRING: air-infer is 5 min behind (pipeline air)')
  expect(blocks).toEqual([
    {
      type: 'header',
      text: { type: 'plain_text', text: '🔴 FIRING: air-infer is 5 min behind', emoji: true },
    },
    {
      type: 'section',
      fields: [
        { type: 'mrkdwn', text: '*Topic*\nair.changes' },
        { type: 'mrkdwn', text: '*Behind*\n5 min, 5,210 records' },
        {
          type: 'mrkdwn',
          text: '*Since*\n<!date^1764100000^{date_short_pretty}, {time_secs}|2025-11-25T19:46:40.000Z>',
        },
        { type: 'mrkdwn', text: '*Severity*\ncritical' },
      ],
    },
    { type: 'section', text: { type: 'mrkdwn', text: expect.any(String) } },
    { type: 'context', elements: [{ type: 'mrkdwn', text: 'pipeline air · lag/air-infer' }] },
  ])
  const said = (blocks[2] as { text: { text: string } }).text.text.split('\n')
  expect(said).toEqual([
    '*How bad:* ▁▂▃▄▆█ 5 min, threshold 60 s',
    expect.stringMatching(/^\*For callers:\* scores are stale/),
    expect.stringMatching(/^\*First look:\* `freshet status`/),
    expect.stringMatching(
      /^<https:\/\/kibana\.example\/s\/air\/app\/dashboards#\/view\/\S+\|Kibana> {2}· {2}<https:\/\/git\.example\/freshet\/docs\/runbooks\/lag\.md\|Runbook lag>$/,
    ),
  ])
  expect(said[3]).toContain(encodeURIComponent('2025-11-25T19:31:40.000Z'))
})

test('the end of an alert says how long it lasted, in green, and gives no advice', () => {
  const message = { ...lagMessage('resolved'), atMs: SINCE_MS + 600_000 }
  const { text, blocks } = slackMessage(alertNotice(message, CONTEXT, message.atMs))
  expect(text).toBe('RESOLVED after 10 min: air-infer is 5 min behind (pipeline air)')
  expect(JSON.stringify(blocks)).toContain('🟢 RESOLVED')
  expect(JSON.stringify(blocks)).not.toContain('First look')
})

test('what comes and goes is shown as such', () => {
  const { text, blocks } = slackMessage(lagNotice('flapping'))
  expect(text).toMatch(/^FLAPPING: air-infer/)
  expect(JSON.stringify(blocks)).toContain('comes and goes')
})

test('alerts that belong together are one message: three as a whole, of the others a line each', () => {
  const alerts = Array.from({ length: 30 }, (_, at) =>
    told({
      ...lagFinding,
      id: `lag/${at}`,
      title: `group ${at} is behind`,
      severity: at === 0 ? 'warning' : 'critical',
    }),
  )
  const message: AlertMessage = { ...lagMessage(), alerts, more: 5 }
  const { text, blocks } = slackMessage(alertNotice(message, CONTEXT, message.atMs))
  const all = JSON.stringify(blocks)
  expect(text).toBe('35 alerts FIRING: group 0 is behind, and 34 more (pipeline air)')
  expect(all.match(/\*How bad:\*/g)).toHaveLength(3)
  expect(all).toContain('🔴 FIRING: group 3 is behind')
  expect(all).toMatch(/… and \d+ more: `freshet alerts` shows all/)
  expect(findFault({ text, blocks })).toBeNull()
})

test('what is told long after it was found says so', () => {
  const { blocks } = slackMessage(alertNotice(lagMessage(), CONTEXT, SINCE_MS + 3_600_000))
  expect(JSON.stringify(blocks)).toContain('Told 60 min late')
})

test('no text becomes markup', () => {
  const advice = { effect: 'callers get <!channel> stored scores', firstLook: 'push <it> & again' }
  const message = { ...lagMessage(), alerts: [told({ ...lagFinding, advice })] }
  const { blocks } = slackMessage(alertNotice(message, CONTEXT, message.atMs))
  expect(JSON.stringify(blocks)).toContain(
    'callers get &lt;!channel&gt; stored scores\\n*First look:* push &lt;it&gt; &amp; again',
  )
})

test('without an address of the runbooks their file is named', () => {
  const notice = alertNotice(lagMessage(), { ...CONTEXT, kibana: undefined, runbookUrl: undefined }, SINCE_MS)
  expect(JSON.stringify(slackMessage(notice).blocks)).toContain('Runbook lag: `docs/runbooks/lag.md`')
})

/* Slack's limits of every part, and of all parts together, are those of the stand-in's rules. */
test('Slack refuses no notice, whatever stands in it', () => {
  fc.assert(
    fc.property(anyNotice, (notice) => {
      expect(findFault(slackMessage(notice))).toBeNull()
    }),
  )
})
