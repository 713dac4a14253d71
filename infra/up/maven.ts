import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { FreshetError } from '@freshet/errors/errors.ts'

const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'
const DEADLINE_MS = 30 * 60_000
const REPORT_MS = 3_000

export interface Artifact {
  readonly group: string
  readonly name: string
  readonly version: string
  readonly type: 'jar' | 'zip'
  readonly classifier?: string
  /** About what is downloaded the first time. */
  readonly megabytes: number
}

export interface MavenContext {
  readonly maven: string
  readonly javaHome: string
  readonly report: (line: string) => void
  readonly signal: AbortSignal
}

/** Puts the artifact's file into a folder. @throws DOWNLOAD_FAILED */
export async function copyArtifact(artifact: Artifact, into: string, context: MavenContext): Promise<void> {
  await runMaven(artifact, ['copy', `-Dartifact=${coordinates(artifact)}`], into, context)
}

/** Unpacks the artifact into a folder; `includes` are Ant patterns. @throws DOWNLOAD_FAILED */
export async function unpackArtifact(
  artifact: Artifact & { readonly includes?: string },
  into: string,
  context: MavenContext,
): Promise<void> {
  const includes = artifact.includes === undefined ? [] : [`-Dmdep.unpack.includes=${artifact.includes}`]
  await runMaven(artifact, ['unpack', `-Dartifact=${coordinates(artifact)}`, ...includes], into, context)
}

/** Puts the jar and every jar it needs at run time into a folder. @throws DOWNLOAD_FAILED */
export async function copyWithDependencies(
  artifacts: readonly [Artifact, ...Artifact[]],
  into: string,
  context: MavenContext,
): Promise<void> {
  await runMaven(artifacts[0], ['copy-dependencies', '-DincludeScope=runtime'], into, context, pom(artifacts))
}

async function runMaven(
  artifact: Artifact,
  [goal, ...options]: readonly [string, ...string[]],
  into: string,
  context: MavenContext,
  pomText?: string,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-maven-'))
  try {
    if (pomText !== undefined) writeFileSync(join(folder, 'pom.xml'), pomText)
    const child = spawn(context.maven, ['-B', `${PLUGIN}:${goal}`, ...options, `-DoutputDirectory=${into}`], {
      cwd: folder,
      env: { ...process.env, JAVA_HOME: context.javaHome },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(DEADLINE_MS)]),
    })
    const progress = followProgress(artifact, context.report)
    for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', progress.take)
    try {
      const [code] = (await once(child, 'close')) as [number | null]
      if (code !== 0)
        throw new FreshetError('DOWNLOAD_FAILED', `Maven: ${progress.errors() || `exit ${code}`}`)
    } catch (cause) {
      if (cause instanceof FreshetError) throw cause
      const why = context.signal.aborted ? 'interrupted' : (cause as Error).message
      throw new FreshetError('DOWNLOAD_FAILED', `Maven did not fetch ${coordinates(artifact)}: ${why}`, {
        cause,
      })
    } finally {
      progress.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Maven says a file's size only once it has it, so a big one is also watched as it grows in the local repository
 * (where that is in its usual place).
 */
function followProgress({ group, name, version, megabytes }: Artifact, report: (line: string) => void) {
  const repository = join(homedir(), '.m2/repository', ...group.split('.'), name, version)
  const before = folderBytes(repository)
  const startMs = Date.now()
  const errors: string[] = []
  let downloaded = 0
  const timer = setInterval(() => {
    const done = Math.max(downloaded, folderBytes(repository) - before) / 1e6
    const seconds = Math.round((Date.now() - startMs) / 1_000)
    report(`fetches ${name} ${version} (about ${megabytes} MB): ${done.toFixed(0)} MB after ${seconds} s`)
  }, REPORT_MS)
  return {
    take: (line: string) => {
      downloaded += downloadedBytes(line)
      const [, error] = /^\[ERROR\] (?!\[Help|To see|Re-run|For more|-> )(.+)/.exec(line) ?? []
      if (error !== undefined) errors.push(error)
    },
    errors: () => errors.slice(0, 3).join(' '),
    stop: () => clearInterval(timer),
  }
}

/** Bytes in the files right in a folder; 0 when there is none. */
function folderBytes(path: string): number {
  if (!existsSync(path)) return 0
  return readdirSync(path)
    .map((name) => statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, bytes) => sum + bytes, 0)
}

/** `Downloaded from central: https://… (6.7 MB at 26 MB/s)` */
export function downloadedBytes(line: string): number {
  const [, amount, unit] = /Downloaded from .*\(([\d.]+) (B|kB|MB|GB) at /.exec(line) ?? []
  if (amount === undefined) return 0
  return Number(amount) * { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 }[unit as 'B' | 'kB' | 'MB' | 'GB']
}

function coordinates({ group, name, version, type, classifier }: Artifact): string {
  return [group, name, version, type, ...(classifier === undefined ? [] : [classifier])].join(':')
}

function pom(artifacts: readonly Artifact[]): string {
  const dependencies = artifacts.map(
    ({ group, name, version }) =>
      `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`,
  )
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>freshet</groupId><artifactId>servers</artifactId><version>1</version>
<dependencies>${dependencies.join('')}</dependencies></project>
`
}
