import type { Jdk } from './find-jdk.ts'
import type { Artifact, MavenContext } from './maven.ts'
import type { ServerName } from './services-file.ts'
import type { Software } from './software.ts'
import type { User } from './unprivileged-user.ts'

type PortRole = 'client' | 'inner'

/** A backing service: how it runs as a process of this machine, what Docker calls it, and when it is ready. */
export interface Server {
  readonly name: ServerName
  /** Default ports; `client` is the one that Freshet speaks to. In Docker the inner one stays inside. */
  readonly ports: { readonly client: number; readonly inner?: number }
  /** Fetches the software, writes what the server reads at its start, and says how to start it. */
  prepare(site: Site): Promise<Launch>
  /** Does it do what Freshet is going to ask of it? Rejects or says no while it does not. */
  answers(port: number, signal: AbortSignal): Promise<boolean>
  /** Variable of docker-compose.yml that holds its port on this machine. */
  readonly portVariable: string
}

/** Where one server is to run natively, and with what. */
export interface Site {
  /** Its own folder, kept between `down` and `up`; belongs to `user`. */
  readonly dataDir: string
  readonly ports: Readonly<Record<PortRole, number>>
  /** Set when we are root. */
  readonly user: User | undefined
  readonly env: NodeJS.ProcessEnv
  readonly software: Software
  /** Installed Java that the user can reach. */
  readonly jdks: () => Promise<readonly Jdk[]>
  /** @throws TOOL_MISSING */
  readonly maven: () => Promise<MavenContext>
  readonly report: (line: string) => void
  readonly signal: AbortSignal
}

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Folder of an artifact in the cache, e.g. `s3mock-5.0.0`. */
export function softwareOf(
  { software, maven, report, signal }: Site,
  { name, version }: Artifact,
  fetch: (into: string, context: MavenContext) => Promise<void>,
): Promise<string> {
  return software.get(`${name}-${version}`, async (into) => fetch(into, await maven()), { report, signal })
}
