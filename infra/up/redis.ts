import { execFile } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { FreshetError } from '@freshet/errors/errors.ts'
import { askOverTcp } from './ask-over-tcp.ts'
import { findTool } from './find-tool.ts'
import { type Artifact, unpackArtifact } from './maven.ts'
import { type Server, type Site, softwareOf } from './server.ts'
import { isReachable } from './unprivileged-user.ts'

const EMBEDDED: Artifact = {
  group: 'com.github.codemonstur',
  name: 'embedded-redis',
  version: '1.4.3',
  type: 'jar',
  megabytes: 14,
}
/** Programs in that jar, by platform and architecture as Node names them. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'linux-x64': 'redis-server-6.2.6-v5-linux-amd64',
  'linux-arm64': 'redis-server-6.2.7-linux-arm64',
  'darwin-x64': 'redis-server-6.2.6-v5-darwin-amd64',
  'darwin-arm64': 'redis-server-6.2.6-v5-darwin-arm64',
}
const INSTALL =
  'Debian, Ubuntu: apt install redis-server · macOS: brew install redis · Fedora: dnf install valkey'
const ASK_MS = 10_000

/** At 64 MB, its default, a log of scores is written anew every few seconds, which takes a core for up to a second. */
const AOF_REWRITE_MIN_SIZE = '512mb'

/** Redis or Valkey from PATH, else the program that a Maven artifact carries. */
export const redis: Server = {
  name: 'redis',
  ports: { client: 6379 },
  portVariable: 'REDIS_PORT',

  async answers(port, signal) {
    const line = await askOverTcp(port, 'PING\r\n', readLine, signal)
    return line === '+PONG' // while it loads its data it says -LOADING
  },

  async prepare(site) {
    const installed = findTool(['redis-server', 'valkey-server'], site.env)
    const usable = installed && (site.user === undefined || isReachable(installed, site.user))
    return {
      command: usable ? installed : await embeddedProgram(site),
      args: [
        ...['--bind', '127.0.0.1', '--port', String(site.ports.client), '--dir', site.dataDir],
        ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''],
        ...['--auto-aof-rewrite-min-size', AOF_REWRITE_MIN_SIZE],
        ...['--daemonize', 'no'],
      ],
      env: { LC_ALL: 'C' }, // ranks are compared in Lua, whose order of strings is the locale's
    }
  },
}

function readLine(answer: Buffer): string | undefined {
  const text = answer.toString('latin1')
  return text.includes('\r\n') ? text.slice(0, text.indexOf('\r\n')) : undefined
}

async function embeddedProgram(site: Site): Promise<string> {
  const platform = `${process.platform}-${process.arch}`
  const program = PROGRAMS[platform]
  if (program === undefined)
    throw new FreshetError(
      'TOOL_MISSING',
      `no redis-server on PATH, and none to fetch for ${platform}. ${INSTALL}`,
    )
  const folder = await softwareOf(site, EMBEDDED, async (into, maven) => {
    await unpackArtifact({ ...EMBEDDED, includes: program }, into, maven)
    chmodSync(join(into, program), 0o755)
  })
  const path = join(folder, program)
  try {
    await promisify(execFile)(path, ['--version'], { timeout: ASK_MS, signal: site.signal })
  } catch (cause) {
    throw new FreshetError(
      'TOOL_MISSING',
      `no redis-server on PATH, and the one fetched does not run here: ${(cause as Error).message}. ${INSTALL}`,
      { cause },
    )
  }
  return path
}
