/** How one Elasticsearch node is started from the small distribution, whatever its version and its cluster. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Jdk } from './find-jdk.ts'
import { type Artifact, unpackArtifact } from './maven.ts'
import { type Launch, type Site, softwareOf } from './server.ts'
import { makeFolderFor } from './unprivileged-user.ts'

export interface ElasticsearchRelease {
  readonly version: string
  /** About what is downloaded the first time. */
  readonly megabytes: number
}

export interface NodeOptions {
  readonly release: ElasticsearchRelease
  readonly jdk: Jdk
  /** For the Java that runs it. */
  readonly javaOptions: readonly string[]
  /** Lines of elasticsearch.yml beside those that every node of ours has. */
  readonly settings: readonly string[]
  /** Files of the file realm, by name, e.g. `roles.yml`; with any of them security is on. */
  readonly realm?: Readonly<Record<string, string>>
}

/** Fetches the release and writes the configuration of a node on loopback. */
export async function prepareNode(
  site: Site,
  { release, jdk, javaOptions, settings, realm = {} }: NodeOptions,
): Promise<Launch> {
  const distribution: Artifact = {
    group: 'org.elasticsearch.distribution.integ-test-zip',
    name: 'elasticsearch',
    version: release.version,
    type: 'zip',
    megabytes: release.megabytes,
  }
  const folder = await softwareOf(site, distribution, (into, maven) =>
    unpackArtifact(distribution, into, maven),
  )
  const server = join(folder, `elasticsearch-${release.version}`)
  const config = writeConfig(site, server, { settings, realm })
  return {
    command: join(server, 'bin', 'elasticsearch'),
    args: [],
    env: {
      ES_JAVA_HOME: jdk.home,
      ES_PATH_CONF: config,
      ES_TMPDIR: join(site.dataDir, 'tmp'),
      ES_JAVA_OPTS: javaOptions.join(' '),
    },
  }
}

/** A folder of its own, since the server writes its keystore there; anew each time, since a killed start leaves half of one. */
function writeConfig(
  { dataDir, ports, user }: Site,
  server: string,
  { settings, realm }: Required<Pick<NodeOptions, 'settings' | 'realm'>>,
): string {
  const config = join(dataDir, 'config')
  rmSync(config, { recursive: true, force: true })
  for (const name of ['config', 'data', 'logs', 'tmp']) makeFolderFor(user, join(dataDir, name))
  const security = `xpack.security.enabled: ${Object.keys(realm).length > 0}`
  writeFileSync(
    join(config, 'elasticsearch.yml'),
    `${[...commonSettings(dataDir, ports), security, ...settings].join('\n')}\n`,
  )
  for (const [name, text] of Object.entries(realm)) writeFileSync(join(config, name), text)
  writeFileSync(join(config, 'log4j2.properties'), LOG_TO_CONSOLE)
  writeFileSync(
    join(config, 'jvm.options'),
    withoutFiles(readFileSync(join(server, 'config', 'jvm.options'), 'utf8')),
  )
  return config
}

/** Thresholds on the disk are for clusters: on a laptop that is 91 % full they would only make indices read-only. */
function commonSettings(dataDir: string, ports: Site['ports']): readonly string[] {
  return [
    'network.host: 127.0.0.1',
    `http.port: ${ports.client}`,
    `transport.port: ${ports.inner}`,
    `path.data: ${JSON.stringify(join(dataDir, 'data'))}`,
    `path.logs: ${JSON.stringify(join(dataDir, 'logs'))}`,
    'cluster.routing.allocation.disk.threshold_enabled: false',
  ]
}

/** Everything goes to the one log file that errors name. */
const LOG_TO_CONSOLE = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] [%node_name]%marker %m%consoleException%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
`

/** The distribution's options without its log of the garbage collector (up to 2 GB) and its heap dumps. */
function withoutFiles(jvmOptions: string): string {
  return jvmOptions
    .split('\n')
    .filter((line) => !/-Xlog:gc|HeapDump|-XX:ErrorFile/.test(line))
    .join('\n')
}
