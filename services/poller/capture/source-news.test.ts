import { FreshetError } from '@freshet/errors/errors.ts'
import { expect, test } from 'vitest'
import { SourceNews } from './source-news.ts'

function telling() {
  const lines: string[] = []
  const log = {
    debug: () => undefined,
    info: (message: string) => void lines.push(`info ${message}`),
    warn: (message: string) => void lines.push(`warn ${message}`),
    error: () => undefined,
  }
  return { lines, news: new SourceNews(log, 'indices') }
}

test('each thing is told once when it begins and once when it ends', () => {
  const { lines, news } = telling()
  const away = new FreshetError('ELASTICSEARCH_UNREACHABLE', 'nobody listens')
  for (const _look of [1, 2]) news.cannotLook(away)
  for (const _look of [1, 2]) {
    news.canLook()
    news.tell({ reasons: ['a has no _source', 'b is closed'], isEmpty: false })
  }
  for (const _look of [1, 2]) news.tell({ reasons: ['b is closed'], isEmpty: false })
  expect(lines).toEqual([
    'warn cannot look at the indices, trying again: nobody listens',
    'info Elasticsearch answers again',
    'warn not captured: a has no _source',
    'warn not captured: b is closed',
    'info no longer so: a has no _source',
  ])
})

test('that there is no index is told each time that the last one goes', () => {
  const { lines, news } = telling()
  for (const isEmpty of [true, true, false, true]) news.tell({ reasons: [], isEmpty })
  expect(lines).toEqual(Array(2).fill('warn no index is there to capture; one is taken up when it appears'))
})
