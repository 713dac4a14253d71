import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadRules } from './load-rules.ts'

function rulesOf(text: string) {
  const path = join(mkdtempSync(join(tmpdir(), 'freshet-rules-')), 'rules.yaml')
  writeFileSync(path, text)
  return loadRules(path)
}

test('a file of rules sets what it names, and leaves the others as they are', () => {
  const rules = rulesOf('lag: { threshold: 300, severity: warning }')
  expect(rules.lag).toMatchObject({ enabled: true, threshold: 300, severity: 'warning' })
  expect(rules.silent).toEqual(rulesOf('').silent)
})

test('a whole file of settings is one too, and so is JSON', () => {
  expect(rulesOf('pipeline: air\nwatchdog:\n  rules:\n    lag: { threshold: 300 }').lag.threshold).toBe(300)
  expect(rulesOf('{"lag":{"threshold":300}}').lag.threshold).toBe(300)
})

test.each(['pipeline: air', 'pipeline: air\nslack: { webhookUrl: https://example.com/x }', 'watchdog:'])(
  'a whole file without rules, such as %j, leaves all as they are',
  (text) => {
    expect(rulesOf(text)).toEqual(rulesOf(''))
  },
)

test('a file that is not there is a matter of the rules, not of freshet.yaml', () => {
  expect(() => loadRules('/nonexistent/rules.yaml')).toThrow(
    expect.objectContaining({
      code: 'RULES_INVALID',
      message: expect.stringContaining('/nonexistent/rules.yaml'),
    }),
  )
})

test.each([
  ['lags: {}', /^[^:]*rules.yaml: [^/]*lags/],
  ['pipeline: air\nlag: { threshold: 300 }', /no such setting: lag; rules stand under watchdog.rules/],
  ['watchdog: { rule: {} }', /watchdog: .*rule/],
  ['watchdog: { rules: { lag: { threshold: -1 } } }', /watchdog.rules.lag.threshold/],
  ['lag: { threshold: -1 }', /lag.threshold/],
  ['lag: [', /is not YAML/],
  ['- lag', /must hold settings by name/],
])('what is wrong with %s is named', (text, expected) => {
  expect(() => rulesOf(text)).toThrow(expected)
})
