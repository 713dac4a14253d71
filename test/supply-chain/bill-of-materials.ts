import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { productionPackages } from './production-packages.ts'

const ROOT = join(import.meta.dirname, '../..')

/** CycloneDX, as far as it is looked at here. */
interface BillOfMaterials {
  readonly components: readonly { readonly 'bom-ref': string; readonly purl: string }[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[]
}

/**
 * Of what runs in production: npm's own, without packages that only our tests need. npm's `--omit dev` leaves out too much: what
 * is a devDependency of one workspace and a dependency of another.
 */
export function billOfMaterials(): BillOfMaterials {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--workspace', '@freshet/cli', '--package-lock-only']
  const { stdout, stderr, status } = spawnSync('npm', args, {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status !== 0) throw new Error(`npm sbom ended with ${status}: ${stderr}`)
  const bom = JSON.parse(stdout) as BillOfMaterials
  const wanted = new Set(productionPackages().map(({ name, version }) => `${name}@${version}`))
  const refs = new Set<string>()
  for (const { 'bom-ref': ref, purl } of bom.components)
    if (wanted.has(packageOf(purl)) || packageOf(purl).startsWith('@freshet/')) refs.add(ref)
  const dropped = new Set(bom.components.map(({ 'bom-ref': ref }) => ref).filter((ref) => !refs.has(ref)))
  return {
    ...bom,
    components: bom.components.filter(({ 'bom-ref': ref }) => !dropped.has(ref)),
    dependencies: bom.dependencies
      .filter(({ ref }) => !dropped.has(ref))
      .map(({ dependsOn = [], ...rest }) => ({
        ...rest,
        dependsOn: dependsOn.filter((ref) => !dropped.has(ref)),
      })),
  }
}

/** `pkg:npm/%40a/b@1.0.0` → `@a/b@1.0.0` */
export function packageOf(purl: string): string {
  return decodeURIComponent(purl.replace(/^pkg:npm\//, '').replace(/\?.*$/, ''))
}
