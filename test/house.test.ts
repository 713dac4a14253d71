import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { REFERENCE_FOLDER, referencePages } from './reference-pages.ts'

const ROOT = join(import.meta.dirname, '..')
const isForTests = (file: string) => /\.(test|kit|contract)\.ts$/.test(file)

describe('the reference pages', () => {
  test.each(Object.entries(referencePages()))(
    '%s says what the code says (else: npm run reference)',
    (name, text) => {
      expect(readFileSync(join(REFERENCE_FOLDER, name), 'utf8')).toBe(text)
    },
  )
})

test('an attribute of ours says what it means', () => {
  expect(referencePages()['attributes.md']).not.toMatch(/\| Freshet \| – \|/)
})

describe('the arrows between rooms', () => {
  /** What a room may import, beside itself. */
  const allowed: Readonly<Record<string, readonly string[]>> = {
    errors: [],
    records: ['errors'],
    stage: ['errors'],
    config: ['errors'],
    telemetry: ['errors', 'records', 'stage', 'config', 'adapters'],
    ports: ['errors', 'records'],
    adapters: ['errors', 'records', 'stage', 'config', 'ports'],
    model: ['errors', 'records', 'stage', 'ports'],
    snapshot: ['errors', 'records', 'stage', 'ports'],
    capture: ['errors', 'records', 'config', 'adapters'],
    reconcile: ['errors', 'records', 'stage', 'config', 'ports', 'adapters', 'capture', 'snapshot'],
    oracle: ['records', 'ports', 'model'],
    service: ['errors', 'records', 'stage', 'config', 'adapters', 'telemetry'],
  }

  test.each(Object.entries(allowed))('shared/%s imports only what lies below it', (room, below) => {
    const files = globSync(join(ROOT, 'shared', room, '**/*.ts')).filter((file) => !isForTests(file))
    expect(files.length).toBeGreaterThan(0)
    const wrong = files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/from '@freshet\/([a-z]+)\//g)]
        .map((match) => match[1]!)
        .filter((imported) => imported !== room && !below.includes(imported))
        .map((imported) => `${relative(ROOT, file)} → ${imported}`),
    )
    expect(wrong).toEqual([])
  })

  test('no service imports another', () => {
    const services = ['poller', 'scorer', 'gateway', 'watchdog']
    const wrong = services.flatMap((service) =>
      globSync(join(ROOT, 'services', service, '**/*.ts')).filter((file) =>
        services.some(
          (other) => other !== service && readFileSync(file, 'utf8').includes(`'@freshet/${other}/`),
        ),
      ),
    )
    expect(wrong).toEqual([])
  })

  test('the command line imports of a service what starts it, and what it does by hand in its place', () => {
    const allowed = new Set([
      'poller/main.ts',
      'scorer/main.ts',
      'gateway/main.ts',
      'gateway/rank/template.ts',
      'gateway/server/certificate-age.ts',
      'gateway/server/tls.ts',
      'watchdog/main.ts',
      'watchdog/alerts/control-view.ts',
      'watchdog/alerts/replay-history.ts',
      'watchdog/alerts/silences.ts',
      'watchdog/alerts/timing.ts',
      'watchdog/look/open-look.ts',
      'watchdog/rules/fact-window.ts',
      'scorer/snapshot/flush-bell.ts',
      'scorer/rescore/plan.ts',
      'scorer/rescore/read-plan.ts',
      'scorer/cache/fill-cache.ts',
      'scorer/cache/refill.ts',
      'poller/sweep/dead-epochs.ts',
      'watchdog/rules/judge.ts',
      'watchdog/page/view/listed-instances.ts',
      'watchdog/routes/open-routes.ts',
    ])
    const imported = globSync(join(ROOT, 'services/cli/**/*.ts'))
      .filter((file) => !isForTests(file))
      .flatMap((file) =>
        [
          ...readFileSync(file, 'utf8').matchAll(/'@freshet\/((?:poller|scorer|gateway|watchdog)\/[^']+)'/g),
        ].map((match) => match[1]!),
      )
    expect(imported.length).toBeGreaterThan(0)
    expect(imported.filter((file) => !allowed.has(file))).toEqual([])
  })

  test('nothing that runs imports what is for tests only', () => {
    const files = ['services', 'shared', 'infra']
      .flatMap((room) => globSync(join(ROOT, room, '**/*.ts'), { exclude: ['**/node_modules/**'] }))
      .filter((file) => !isForTests(file))
    const wrong = files.filter((file) =>
      /(from|import\() ?'[^']+\.(test|kit|contract)\.ts'/.test(readFileSync(file, 'utf8')),
    )
    expect(files.length).toBeGreaterThan(0)
    expect(wrong.map((file) => relative(ROOT, file))).toEqual([])
  })
})

describe('the pages for readers', () => {
  const pages = globSync(join(ROOT, '{*.md,docs/**/*.md,infra/**/*.md}'), { exclude: ['**/node_modules/**'] })

  test.each(pages.map((page) => relative(ROOT, page)))('%s links only to what is there', (page) => {
    const links = [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\(([^)#\s]+)/g)].map(
      (match) => match[1]!,
    )
    const dead = links.filter(
      (link) => !/^[a-z]+:/.test(link) && !existsSync(join(ROOT, dirname(page), link)),
    )
    expect(dead).toEqual([])
  })
})
