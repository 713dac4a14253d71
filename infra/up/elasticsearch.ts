import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chooseJdk } from './find-jdk.ts'
import { type Artifact, unpackArtifact } from './maven.ts'
import { type Server, type Site, softwareOf } from './server.ts'
import { makeFolderFor } from './unprivileged-user.ts'

/** Newest first; the first whose Java is installed is taken. */
const VERSIONS = [
  { version: '9.5.3', java: 21, megabytes: 132 },
  { version: '8.19.7', java: 17, megabytes: 97 },
]
/** Resident: about 1 GB (with 1g 1.3 GB), so that all servers together stay below 1.8 GB. */
const HEAP = '768m'

/** The small distribution, as one node without security on loopback. */
export const elasticsearch: Server = {
  name: 'elasticsearch',
  ports: { client: 9200, inner: 9300 },
  portVariable: 'ELASTICSEARCH_PORT',

  async answers(port, signal) {
    const url = `http://127.0.0.1:${port}/_cluster/health?wait_for_status=yellow&timeout=1s`
    const response = await fetch(url, { signal })
    const { status } = (await response.json()) as { status?: unknown }
    return response.ok && (status === 'yellow' || status === 'green')
  },

  async prepare(site) {
    const jdks = await site.jdks()
    const { version, java, megabytes } =
      VERSIONS.find((choice) => jdks.some(({ major }) => major >= choice.java)) ?? VERSIONS.at(-1)!
    const jdk = chooseJdk(jdks, { atLeast: java, purpose: `Elasticsearch ${version}` })
    const distribution: Artifact = {
      group: 'org.elasticsearch.distribution.integ-test-zip',
      name: 'elasticsearch',
      version,
      type: 'zip',
      megabytes,
    }
    const folder = await softwareOf(site, distribution, (into, maven) =>
      unpackArtifact(distribution, into, maven),
    )
    const server = join(folder, `elasticsearch-${version}`)
    const config = writeConfig(site, server)
    return {
      command: join(server, 'bin', 'elasticsearch'),
      args: [],
      env: {
        ES_JAVA_HOME: jdk.home,
        ES_PATH_CONF: config,
        ES_TMPDIR: join(site.dataDir, 'tmp'),
        ES_JAVA_OPTS: `-Xms${HEAP} -Xmx${HEAP}`,
      },
    }
  },
}

/** A folder of its own, since the server writes its keystore there; anew each time, since a killed start leaves half of one. */
function writeConfig({ dataDir, ports, user }: Site, server: string): string {
  const config = join(dataDir, 'config')
  rmSync(config, { recursive: true, force: true })
  for (const name of ['config', 'data', 'logs', 'tmp']) makeFolderFor(user, join(dataDir, name))
  writeFileSync(join(config, 'elasticsearch.yml'), settings(dataDir, ports))
  writeFileSync(join(config, 'log4j2.properties'), LOG_TO_CONSOLE)
  writeFileSync(
    join(config, 'jvm.options'),
    withoutFiles(readFileSync(join(server, 'config', 'jvm.options'), 'utf8')),
  )
  return config
}

/** Thresholds on the disk are for clusters: on a laptop that is 91 % full they would only make indices read-only. */
function settings(dataDir: string, ports: Site['ports']): string {
  return `cluster.name: freshet
node.name: freshet
discovery.type: single-node
network.host: 127.0.0.1
http.port: ${ports.client}
transport.port: ${ports.inner}
path.data: ${JSON.stringify(join(dataDir, 'data'))}
path.logs: ${JSON.stringify(join(dataDir, 'logs'))}
xpack.security.enabled: false
cluster.routing.allocation.disk.threshold_enabled: false
`
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
