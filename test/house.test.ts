import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { RULE_NAMES } from '@freshet/config/alert-rules.ts'
import { listSettings } from '@freshet/config/describe.ts'
import { describe, expect, test } from 'vitest'
import { circlesOf, importsOfFiles } from './import-circles.ts'
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
    /** Of the gateway only what its answers are like, which is its contract with clients. */
    client: ['errors', 'records', 'stage', 'gateway'],
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

  test('no service imports another, nor does shared/ but for the client', () => {
    const services = ['poller', 'scorer', 'gateway', 'watchdog', 'cli']
    const own = (file: string) => relative(ROOT, file).split('/')[1]!
    const wrong = globSync(join(ROOT, '{shared,services/{poller,scorer,gateway,watchdog}}/**/*.ts'), {
      exclude: ['**/node_modules/**', '**/shared/client/**'],
    }).filter((file) => {
      const text = readFileSync(file, 'utf8')
      return services.some((other) => other !== own(file) && text.includes(`'@freshet/${other}/`))
    })
    expect(wrong.map((file) => relative(ROOT, file))).toEqual([])
  })

  test('the client imports of the gateway types of its answers only', () => {
    const imported = globSync(join(ROOT, 'shared/client/**/*.ts'))
      .filter((file) => !isForTests(file))
      .flatMap((file) => readFileSync(file, 'utf8').match(/^import .*'@freshet\/gateway\/.*'$/gm) ?? [])
    expect(imported.length).toBeGreaterThan(0)
    expect(imported.filter((line) => !line.startsWith('import type '))).toEqual([])
  })

  test('no files import each other in a circle, types neither', () => {
    expect(circlesOf(importsOfFiles(ROOT))).toEqual([])
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
      'watchdog/alerts/by-gravity.ts',
      'watchdog/alerts/control-view.ts',
      'watchdog/format.ts',
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
      'watchdog/rules/short-texts.ts',
      'watchdog/rules/once.ts',
      'watchdog/page/view/listed-instances.ts',
      'watchdog/routes/formats/sparkline.ts',
      'watchdog/page/public/words.js',
      'watchdog/page/view/page-state.ts',
      'watchdog/page/follow-pipeline.ts',
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

test('each decision begins with its number and what it is about', () => {
  const decisions = globSync('[0-9]*.md', { cwd: join(ROOT, 'docs/decisions') })
  const wrong = decisions.filter((file) => {
    const [head] = readFileSync(join(ROOT, 'docs/decisions', file), 'utf8').split('\n', 1)
    return !new RegExp(`^# ${file.slice(0, 4)}: \\S`).test(head!)
  })
  expect(decisions.length).toBeGreaterThan(0)
  expect(wrong).toEqual([])
})

describe('the runbooks', () => {
  const folder = join(ROOT, 'docs/runbooks')
  const pages = globSync('*.md', { cwd: folder })
    .map((page) => page.replace(/\.md$/, ''))
    .filter((page) => page !== 'README')

  test('each rule of the watchdog has its page, and each page its rule', () => {
    expect(pages.toSorted()).toEqual(RULE_NAMES.toSorted())
  })

  test.each(pages)(
    '%s says what it means for callers, how to see it, what to do, and how to silence it',
    (name) => {
      const text = readFileSync(join(folder, `${name}.md`), 'utf8')
      expect(text).toMatch(new RegExp(`^# ${name}: `))
      const headings = [...text.matchAll(/^## (.+)$/gm)].map((match) => match[1])
      expect(headings).toEqual([
        'What it means for callers',
        'How to see it',
        'First steps',
        'How to mend it',
        'How to silence it',
      ])
    },
  )

  test('they name no command and no setting that is not there', () => {
    const commands = new Set(
      globSync('services/cli/commands/*.ts', { cwd: ROOT }).map((file) => basename(file, '.ts')),
    )
    const settings = new Set(listSettings().map(({ path }) => path))
    const sections = new Set([...settings].map((path) => path.split('.')[0]!))
    const isSetting = (path: string) =>
      [...settings].some((known) => known === path || known.startsWith(`${path}.`))
    const unknown = pages.flatMap((name) => {
      const text = readFileSync(join(folder, `${name}.md`), 'utf8')
      const named = [...text.matchAll(/`freshet ([a-z]+)/g)].map((match) => match[1]!)
      const paths = [...text.matchAll(/`([a-z0-9]+(?:\.[a-z][A-Za-z-]*)+)[:`]/g)].map((match) => match[1]!)
      return [
        ...named.filter((command) => !commands.has(command)),
        ...paths.filter(
          (path) => sections.has(path.split('.')[0]!) && !/\.(json|onnx)$/.test(path) && !isSetting(path),
        ),
      ].map((what) => `${name}: ${what}`)
    })
    expect(unknown).toEqual([])
  })
})

describe('the pages for readers', () => {
  const pages = globSync('**/*.md', {
    cwd: ROOT,
    exclude: ['**/node_modules/**', '**/.*/**'],
  }).toSorted()
  const textOf = (page: string) => readFileSync(join(ROOT, page), 'utf8')
  /** Of all links, as page and what is linked from there; code is not read for links. */
  const linksOf = (page: string) =>
    [
      ...textOf(page)
        .replaceAll(/```.*?```/gs, '')
        .matchAll(/\]\(([^)\s]+)/g),
    ]
      .map((match) => match[1]!)
      .filter((link) => !/^[a-z]+:/.test(link))

  /** As GitHub names a heading. */
  const anchorsOf = (page: string) =>
    [...textOf(page).matchAll(/^#+ (.+)$/gm)].map((match) =>
      match[1]!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    )

  test.each(pages)('%s links only to what is there', (page) => {
    const dead = linksOf(page).filter((link) => {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page : join(dirname(page), path)
      if (!existsSync(join(ROOT, target))) return true
      return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor)
    })
    expect(dead).toEqual([])
  })

  test('the pages of the path have no hole, and each leads to the next', () => {
    const path = globSync('[0-9]*.md', { cwd: join(ROOT, 'docs') }).toSorted()
    expect(path.map((page) => Number.parseInt(page, 10))).toEqual(path.map((_, index) => index + 1))
    const leadsOn = path.slice(0, -1).map((page) => textOf(join('docs', page)).trimEnd().split('\n').at(-1))
    expect(leadsOn.map((line) => /^Next: .*\]\((.+)\)/.exec(line!)?.[1])).toEqual(path.slice(1))
  })

  test('the list of decisions names each', () => {
    const named = new Set(linksOf('docs/decisions/README.md'))
    const decisions = globSync('[0-9]*.md', { cwd: join(ROOT, 'docs/decisions') })
    expect(decisions.filter((page) => !named.has(page))).toEqual([])
  })
})
