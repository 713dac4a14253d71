import { expect, test } from 'vitest'
import { firing, NOW_MS, pageInput } from '../page/view/pipeline-facts.kit.ts'
import { toPageState } from '../page/view/to-page-state.ts'
import { alertNotice } from './alert-to-notice.ts'
import { readingOf } from './reading-links.ts'

test.each([
  ['lag', 'firing'],
  ['failing', 'firing'],
  ['dead-letters', 'resolved'],
] as const)('the page and a message about the same %s, %s, lead to the same places', (kind, phase) => {
  const { settings } = pageInput()
  const told = {
    ...settings,
    kibana: { ...settings.kibana, url: 'https://kibana.example' },
    watchdog: { ...settings.watchdog, runbookUrl: 'https://git.example/runbooks/' },
  }
  const alert = firing({ kind })
  const alerts = [phase === 'firing' ? alert : { ...alert, phase, resolvedAtMs: NOW_MS - 60_000 }]
  const [shown] = toPageState(pageInput({ settings: told, alerts })).alerts
  const message = { id: '1', change: phase, atMs: NOW_MS - 60_000, alerts: [alert], more: 0, begunAtMs: null }
  const notice = alertNotice(message, { pipeline: 'air', ...readingOf(told) }, NOW_MS)
  expect(notice.items[0]?.links).toEqual([
    { label: 'Kibana', url: shown?.kibana },
    { label: `Runbook ${kind}`, url: shown?.runbook.url },
  ])
  expect(shown?.runbook.url).toBe(`https://git.example/runbooks/${kind}.md`)
})
