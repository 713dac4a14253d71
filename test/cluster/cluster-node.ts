import { join } from 'node:path'
import { type ElasticsearchRelease, prepareNode } from '@freshet/up/elasticsearch-node.ts'
import { chooseJdk, type Jdk } from '@freshet/up/find-jdk.ts'
import type { Server, Site } from '@freshet/up/server.ts'
import { NativeServer } from './native-server.ts'
import { ReplicationGate } from './replication-gate.ts'

/** What capture is proved on. Java up to `newestJava`: 7.17 and 8.19 still ask for the security manager that 24 removed. */
const RELEASES = {
  '9.5.3': { megabytes: 132, oldestJava: 21, newestJava: 25 },
  '8.19.7': { megabytes: 97, oldestJava: 17, newestJava: 23 },
  '7.17.29': { megabytes: 57, oldestJava: 11, newestJava: 23 },
} as const

export type Version = keyof typeof RELEASES
export const VERSIONS = Object.keys(RELEASES) as readonly Version[]

/** @throws TOOL_MISSING without a Java that it runs on */
export async function chooseSoftware(
  site: Pick<Site, 'jdks'>,
  version: Version,
): Promise<{ readonly release: ElasticsearchRelease; readonly jdk: Jdk }> {
  const { oldestJava, newestJava, megabytes } = RELEASES[version]
  const jdks = (await site.jdks()).filter(({ major }) => major <= newestJava)
  const purpose = `Elasticsearch ${version} (Java ${newestJava} or older)`
  return { release: { version, megabytes }, jdk: chooseJdk(jdks, { atLeast: oldestJava, purpose }) }
}

const HEAP = '512m'

export interface NodePlan {
  readonly version: Version
  readonly clusterName: string
  readonly name: string
  /** Transport addresses of the others, asked for at each start; the first node of a new cluster has none. */
  readonly seeds: () => readonly string[]
  /** Writes replicated to the node can be held back. */
  readonly isGated: boolean
}

/** One node of a cluster. Killed and started again it is the same node: its id lies with its data. */
export class ClusterNode implements AsyncDisposable {
  readonly name: string
  /** As cluster states name it. */
  readonly id: string
  readonly gate: ReplicationGate | undefined
  readonly #ports: NodePorts
  readonly #server: NativeServer

  /** @throws TOOL_MISSING, DOWNLOAD_FAILED, SERVICE_START_FAILED */
  static async start(plan: NodePlan): Promise<ClusterNode> {
    const ports: NodePorts = { transport: 0 }
    const gate = plan.isGated ? await ReplicationGate.before(() => ports.transport) : undefined
    try {
      const server = await NativeServer.start(describeServer(plan, ports, gate?.port))
      return new ClusterNode(plan.name, await askId(server.port!), ports, server, gate)
    } catch (error) {
      await gate?.[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(
    name: string,
    id: string,
    ports: NodePorts,
    server: NativeServer,
    gate: ReplicationGate | undefined,
  ) {
    this.name = name
    this.id = id
    this.gate = gate
    this.#ports = ports
    this.#server = server
  }

  /** Of its HTTP; undefined while it is down. */
  get port(): number | undefined {
    return this.#server.port
  }

  /** Where other nodes find it. */
  get transportAddress(): string {
    return `127.0.0.1:${this.gate?.port ?? this.#ports.transport}`
  }

  /** kill -9 */
  kill(): Promise<void> {
    return this.#server.kill()
  }

  /** Resolves when it has found its cluster again. */
  restart(): Promise<void> {
    return this.#server.restart()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
    await this.gate?.[Symbol.asyncDispose]()
  }
}

/** Known once infra/up has chosen it. */
interface NodePorts {
  transport: number
}

function describeServer(plan: NodePlan, ports: NodePorts, publishPort: number | undefined): Server {
  return {
    name: 'elasticsearch',
    ports: { client: 0, inner: 0 },
    portVariable: '',
    answers: hasMaster,
    async prepare(site) {
      ports.transport = site.ports.inner
      const software = await chooseSoftware(site, plan.version)
      return prepareNode(site, {
        ...software,
        javaOptions: [`-Xms${HEAP}`, `-Xmx${HEAP}`, '-XX:TieredStopAtLevel=1'], // starts sooner
        settings: settingsOf(plan, publishPort ?? site.ports.inner, join(site.dataDir, 'snapshots')),
      })
    },
  }
}

function settingsOf({ clusterName, name, seeds }: NodePlan, publishPort: number, snapshots: string) {
  const others = seeds()
  return [
    `cluster.name: ${clusterName}`,
    `node.name: ${name}`,
    `transport.publish_port: ${publishPort}`,
    'transport.compress: false',
    `discovery.seed_hosts: ${JSON.stringify(others)}`,
    ...(others.length === 0 ? [`cluster.initial_master_nodes: ${JSON.stringify([name])}`] : []),
    'cluster.routing.rebalance.enable: none', // shards move only when a test moves them
    `path.repo: ${JSON.stringify([snapshots])}`,
  ]
}

async function hasMaster(port: number, signal: AbortSignal): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/_cluster/health?timeout=1s`, { signal })).ok
}

async function askId(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/_nodes/_local?filter_path=nodes.*.name`)
  const { nodes } = (await response.json()) as { nodes: Record<string, unknown> }
  return Object.keys(nodes)[0]!
}
