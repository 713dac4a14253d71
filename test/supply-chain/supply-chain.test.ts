import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { billOfMaterials, packageOf } from './bill-of-materials.ts'
import { judgeAudit } from './judge-audit.ts'
import { isAllowed } from './licences.ts'
import { productionPackages } from './production-packages.ts'

const ROOT = join(import.meta.dirname, '../..')
const textOf = (file: string) => readFileSync(join(ROOT, file), 'utf8')

describe('what is installed in production', () => {
  const packages = productionPackages()

  test('is what npm lists for the image', () => {
    const { stdout } = spawnSync(
      'npm',
      ['ls', '--all', '--parseable', '--package-lock-only', '--omit=dev', '--workspace=@freshet/cli'],
      { cwd: ROOT, encoding: 'utf8', timeout: 60_000 },
    )
    const listed = stdout
      .split('\n')
      .filter((path) => path.includes('node_modules/'))
      .map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
      .filter((name) => !name.startsWith('@freshet/'))
    expect(new Set(listed).size).toBeGreaterThan(50)
    expect([...new Set(packages.map(({ name }) => name))]).toEqual([...new Set(listed)].toSorted())
  })

  test('is what the bill of materials names, beside our own workspaces', () => {
    const { components, dependencies } = billOfMaterials()
    const named = components
      .map(({ purl }) => packageOf(purl))
      .filter((name) => !name.startsWith('@freshet/'))
    expect(named.toSorted()).toEqual(packages.map(({ name, version }) => `${name}@${version}`).toSorted())
    const refs = new Set(dependencies.map(({ ref }) => ref))
    expect(dependencies.flatMap(({ dependsOn = [] }) => dependsOn).filter((ref) => !refs.has(ref))).toEqual(
      [],
    )
  })

  test('may be used and passed on: each licence is one of those that ask for no more than to be named', () => {
    expect(packages.filter(({ licence }) => !isAllowed(licence))).toEqual([])
  })

  test.each([
    ['AGPL-3.0', false],
    ['SSPL-1.0', false],
    ['MIT AND GPL-2.0', false],
    ['(MIT OR GPL-3.0)', true],
    [undefined, false],
  ])('%s: allowed is %s', (licence, allowed) => {
    expect(isAllowed(licence)).toBe(allowed)
  })

  test('is one exact version each: package.json names no range', () => {
    const loose = globSync('{package.json,{services,shared,infra}/*/package.json,test/package.json}', {
      cwd: ROOT,
    }).flatMap((file) => {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(textOf(file))
      return Object.entries({ ...dependencies, ...devDependencies })
        .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version as string))
        .map(([name, version]) => `${file}: ${name} ${version}`)
    })
    expect(loose).toEqual([])
  })
})

describe('images', () => {
  /** Of docker-compose.yml, of the Dockerfile, of the manifests. */
  const images = [
    ...Object.values<{ image?: string }>(
      parse(textOf('docker-compose.yml'), { merge: true }).services,
    ).flatMap(({ image }) => (image === undefined ? [] : [image])),
    ...[...textOf('infra/docker/Dockerfile').matchAll(/^(?:ARG NODE_IMAGE=|FROM )(\S+)/gm)].map(
      (match) => match[1]!,
    ),
    ...globSync('infra/kubernetes/**/*.yaml', { cwd: ROOT }).flatMap((file) =>
      [...textOf(file).matchAll(/^\s*(?:- )?image: (\S+)$/gm)].map((match) => match[1]!),
    ),
  ].filter((image) => image !== '${' + 'NODE_IMAGE}')

  test('there are some', () => {
    expect(images.length).toBeGreaterThan(6)
  })

  test.each([...new Set(images)])('%s is of an exact version', (image) => {
    expect(image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+(-[\w.-]+)?(@sha256:[0-9a-f]{64})?$/)
  })
})

describe('the audit', () => {
  const metadata = {}

  test('fails for what is high or critical, and names it', () => {
    const vulnerabilities = { a: { severity: 'high', range: '<2', fixAvailable: true } }
    const { passes, lines } = judgeAudit(JSON.stringify({ vulnerabilities, metadata }))
    expect(passes).toBe(false)
    expect(lines).toContain('high: a <2, which a newer version mends')
  })

  test('passes what is moderate, and names it too', () => {
    const vulnerabilities = { a: { severity: 'moderate', range: '<2', fixAvailable: false } }
    expect(judgeAudit(JSON.stringify({ vulnerabilities, metadata }))).toMatchObject({
      passes: true,
      lines: ['moderate: a <2', expect.stringMatching(/: 1, high or critical: 0/)],
    })
  })

  test.each([
    ['', 'spawnSync npm ETIMEDOUT'],
    ['{"message":"405 Method Not Allowed","error":{"summary":""}}', undefined],
    ['<html>', undefined],
  ])('says aloud that there was none: %j', (stdout, trouble) => {
    const { passes, lines } = judgeAudit(stdout, trouble)
    expect(passes).toBe(true)
    expect(lines[0]).toMatch(/^AUDIT NOT MADE: .+\((.+)\)$/)
  })
})
