import { execFile } from 'node:child_process'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { FreshetError } from '@freshet/errors/errors.ts'

export interface Jdk {
  readonly home: string
  /** 17, 21, …; 8 for 1.8. */
  readonly major: number
}

/** Newer ones may work; these are the ones that the servers have been run with. */
const NEWEST_TRIED = 25
const ASK_MS = 10_000

/** Every Java of this machine that answers when asked for its version. */
export async function findJdks(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<readonly Jdk[]> {
  const homes = new Set(
    candidateHomes(env)
      .filter((home) => existsSync(join(home, 'bin', 'java')))
      .map((home) => realpathSync(home)),
  )
  const jdks = await Promise.all(
    [...homes].map(async (home) => {
      const major = await askVersion(home, signal)
      return major === undefined ? [] : [{ home, major }]
    }),
  )
  return jdks.flat()
}

/** The newest that has been tried, else the oldest that is newer. @throws TOOL_MISSING */
export function chooseJdk(jdks: readonly Jdk[], need: { atLeast: number; purpose: string }): Jdk {
  const fit = jdks.filter(({ major }) => major >= need.atLeast).sort((a, b) => a.major - b.major)
  const jdk = fit.findLast(({ major }) => major <= NEWEST_TRIED) ?? fit[0]
  if (jdk) return jdk
  const found = jdks.length === 0 ? 'none' : jdks.map(({ home, major }) => `${major} at ${home}`).join(', ')
  throw new FreshetError(
    'TOOL_MISSING',
    `${need.purpose} needs Java ${need.atLeast} or newer, found ${found}. Debian, Ubuntu: apt install ` +
      'default-jre-headless · macOS: brew install openjdk@21 · Fedora: dnf install java-latest-openjdk-headless',
  )
}

/** What `java -version` prints: `openjdk version "17.0.15" 2025-04-15`, `java version "1.8.0_432"`. */
export function parseJavaVersion(text: string): number | undefined {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(text) ?? []
  if (first === undefined) return undefined
  return first === '1' ? Number(second) : Number(first)
}

function candidateHomes(env: NodeJS.ProcessEnv): string[] {
  const onPath = (env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'java'))
    .filter((file) => existsSync(file))
    .map((file) => dirname(dirname(realpathSync(file))))
  return [
    ...(env.JAVA_HOME ? [env.JAVA_HOME] : []),
    ...onPath,
    ...foldersIn('/usr/lib/jvm'),
    ...foldersIn('/opt'),
    ...foldersIn(join(homedir(), '.sdkman/candidates/java')),
    ...['/opt/homebrew/opt', '/usr/local/opt']
      .flatMap(foldersIn)
      .map((folder) => join(folder, 'libexec/openjdk.jdk/Contents/Home')),
    ...['/Library', join(homedir(), 'Library')]
      .flatMap((library) => foldersIn(join(library, 'Java/JavaVirtualMachines')))
      .map((folder) => join(folder, 'Contents/Home')),
  ]
}

function foldersIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []
}

/** undefined: not a Java that runs here (macOS has a stand-in that only says how to get one). */
async function askVersion(home: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const { stderr } = await promisify(execFile)(join(home, 'bin', 'java'), ['-version'], {
      timeout: ASK_MS,
      signal,
    })
    return parseJavaVersion(stderr)
  } catch {
    return undefined
  }
}
