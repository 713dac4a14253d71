import {
  firing,
  instance,
  NOW_MS,
  pageInput,
  pipelineFacts,
} from '@freshet/watchdog/page/view/pipeline-facts.kit.ts'
import { toPageState } from '@freshet/watchdog/page/view/to-page-state.ts'
import { expect, test } from 'vitest'
import { render } from './line.ts'
import { picture } from './picture.ts'

function drawn(
  changes: Parameters<typeof pageInput>[0] = {},
  { columns = 120, colours = false }: { columns?: number; colours?: boolean } = {},
): string[] {
  const state = toPageState(pageInput(changes))
  return picture(state, { columns }).map((line) => render(line, { columns, colours }))
}

test('the picture has what the page has: verdict, stages with rate and lag, stores, servers, instances', () => {
  const text = drawn().join('\n')
  for (const part of [
    /^Freshet flights {2}/,
    /● All is well\n {2}0\.4 s from capture to the score in Redis, 99 % within 1\.5 s/,
    /● Capture +1,243 changes\/s +\S* +0\.4 s behind +312 operations waiting +×1/,
    /● Score +1,240 rows\/s/,
    /● Answer +312 answers\/s/,
    /flights\/2 +█{10} 1,483,953 of 1,484,265 +312 behind, 0\.4 s/,
    /flights-infer +▂▂··▂··· +28 waiting, 0\.3 s behind on flights\.changes, 2 consumers/,
    /model {4}arrival_delay@7, promotion 7, 26 h ago/,
    /snapshot commit 1,482, 2\.41 M rows, 83\.4 MB, written 31 s ago, held by 1 gateway/,
    /answers {2}live 1 % {2}cache 97\.5 %/,
    /● Kafka {2}● Elasticsearch {2}● Redis {2}● S3/,
    /● gateway-box-314 +running +up 2 h, heard 1 s ago/,
  ])
    expect(text).toMatch(part)
})

test('why answers are degraded stands below how many are', () => {
  const perSecond = { 'freshet.answers.cache': 1, 'freshet.answers.degraded.cache_late': 0.2 }
  const facts = pipelineFacts({ instances: [instance('gateway-box-1', { perSecond })] })
  expect(drawn({ facts }).join('\n')).toMatch(/60 degraded in 5 min\n +degraded for cache_late 60/)
})

test('before the first look nobody is said to be missing', () => {
  const text = drawn({ facts: null }).join('\n')
  expect(text).toContain('not looked yet')
  expect(text).not.toMatch(/nobody does this|×null/)
})

test('an alert stands with its severity, what it means and where to look', () => {
  const text = drawn({ alerts: [{ ...firing(), heldBack: 'silence 3f2a' }] }).join('\n')
  expect(text).toMatch(/■ critical +flights-infer is 4 min behind {2}for 3 min, not told: silence 3f2a/)
  expect(text).toMatch(/▃▃▃▄▄.*█ alert above 60 s/)
  expect(text).toMatch(/scores grow old\n +first look: freshet status\n +docs\/runbooks\/lag\.md/)
})

test('what waits for the next snapshot is as usual, and what waits as long for a score is late', () => {
  const lines = drawn()
  expect(lines.find((line) => line.includes('flights-snapshot'))).toMatch(/flights-snapshot +▂{8} /)
  const late = drawn({ facts: pipelineFacts({}, { late: 24 }) })
  expect(late.find((line) => line.includes('flights-infer'))).toMatch(/flights-infer +▆▂··▂··· /)
})

test.each([20, 40, 60, 80, 200])('no line is wider than a terminal of %i columns', (columns) => {
  const lines = drawn({ alerts: [firing()] }, { columns })
  expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(columns)
})

test('instances for which there is no room are counted', () => {
  const instances = Array.from({ length: 15 }, (_, at) => instance(`gateway-box-${at}`))
  const text = drawn({ facts: pipelineFacts({ instances }) }).join('\n')
  expect(text).toContain('gateway-box-11')
  expect(text).not.toContain('gateway-box-12')
  expect(text).toContain('  and 3 more instances')
})

test('where no watchdog runs nobody judges, and that is said', () => {
  const facts = pipelineFacts()
  const instances = facts.instances.filter(({ heartbeat }) => heartbeat.service !== 'watchdog')
  expect(drawn({ facts: { ...facts, instances } }).join('\n')).toContain('no watchdog runs, so nobody judges')
})

test('colours are for terminals that want them, and names from elsewhere steer none', () => {
  const facts = pipelineFacts()
  const [first, ...others] = facts.instances
  const evil = {
    ...first!,
    heartbeat: {
      ...first!.heartbeat,
      status: 'failing' as const,
      failing: [{ worker: 'capture', error: 'A\u001b[2Jb\r\nc', atMs: NOW_MS }],
    },
  }
  const changes = { facts: { ...facts, instances: [evil, ...others] } }
  for (const sign of ['\u001b', '\r']) expect(drawn(changes).join('\n')).not.toContain(sign)
  expect(drawn(changes, { colours: true }).join('\n')).toContain('\u001b[32m●\u001b[0m')
  expect(drawn(changes, { colours: true }).join('\n')).not.toContain('\u001b[2J')
})
