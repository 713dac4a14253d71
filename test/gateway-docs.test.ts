import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLIENT_REASONS } from '@freshet/client/results.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { REASONS } from '@freshet/records/reasons.ts'
import { describe, expect, test } from 'vitest'

const read = (page: string) => readFileSync(join(import.meta.dirname, '..', page), 'utf8')
const REFERENCE = read('docs/gateway.md')

describe('docs/gateway.md', () => {
  test.each(Object.keys(REASONS))('says what is broken when an answer is degraded for %s', (reason) => {
    const [, table = ''] = /## What is broken.*?\n(\|.*?)\n\n/s.exec(REFERENCE) ?? []
    expect(table).toContain(`\`${reason}\``)
  })

  test('has examples of settings that are settings', () => {
    const examples = [...REFERENCE.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1]!)
    expect(examples.length).toBeGreaterThan(1)
    for (const example of examples) {
      const file = join(mkdtempSync(join(tmpdir(), 'freshet-docs-')), 'freshet.yaml')
      writeFileSync(file, example)
      loadSettings({ file, env: {} })
    }
  })
})

test('the picture of the ladder has the budgets that are the default', () => {
  const { deadlineMs, redisBudgetMs, rank } = loadSettings({ env: {} }).gateway
  const picture = read('docs/gateway-ladder.svg')
  for (const text of [
    `${deadlineMs} ms, from when`,
    `>${redisBudgetMs} ms<`,
    `>${redisBudgetMs}: Redis`,
    `at most ${rank.elasticsearchBudgetMs} ms`,
    `Elasticsearch (${rank.elasticsearchBudgetMs})`,
  ])
    expect(picture).toContain(text)
})

test.each(Object.keys(CLIENT_REASONS))('the client’s README says what happened at %s', (reason) => {
  expect(read('shared/client/README.md')).toContain(`\`${reason}\``)
})
