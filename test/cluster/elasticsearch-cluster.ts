/** An Elasticsearch cluster of a test's own, whose nodes the test may kill and start again. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Client } from '@elastic/elasticsearch'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { lockFile } from '@freshet/up/lock-file.ts'
import { until } from '../until.ts'
import { ClusterNode, type Version } from './cluster-node.ts'
import { FrontDoor } from './front-door.ts'
import { clearLeftovers, TESTS_FOLDER } from './native-server.ts'

export interface ClusterOptions {
  readonly version?: Version
  readonly nodes: number
  /** Writes replicated to a node can be held back: see ClusterNode.gate. */
  readonly isGated?: boolean
}

/** How long a test may wait for those before it: nodes are heavy, so there is one cluster at a time. */
const LOCK_MS = 20 * 60_000
/** A small machine recovers its shards slowly. */
const GREEN_MS = 180_000

export class ElasticsearchCluster implements AsyncDisposable {
  readonly nodes: ClusterNode[] = []
  /** Speaks to any node that is up. */
  readonly client: Client & AsyncDisposable
  /** Of the address in front of the nodes. */
  readonly url: string
  readonly #door: FrontDoor
  readonly #lock: Disposable

  /** @throws TOOL_MISSING, DOWNLOAD_FAILED, SERVICE_START_FAILED */
  static async start(options: ClusterOptions): Promise<ElasticsearchCluster> {
    const lock = await lockFile(join(TESTS_FOLDER, 'cluster.lock'), { deadlineMs: LOCK_MS })
    await clearLeftovers()
    const door = await FrontDoor.open(() => cluster.nodes.flatMap(({ port }) => port ?? []))
    const cluster = new ElasticsearchCluster(door, lock)
    try {
      await cluster.#startNodes(options)
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(door: FrontDoor, lock: Disposable) {
    this.#door = door
    this.#lock = lock
    this.url = door.url
    this.client = connectElasticsearch({ ...loadSettings({ env: {} }).elasticsearch, url: door.url })
  }

  /** The node that holds a primary now. */
  async primaryOf(index: string, shard: number): Promise<ClusterNode> {
    const copy = (await this.copiesOf(index, shard)).find(({ primary }) => primary)
    if (copy === undefined) throw new Error(`${index}/${shard} has no primary now`)
    return copy.node
  }

  /** Nodes that hold a started copy of the shard now. */
  async copiesOf(index: string, shard: number): Promise<readonly { node: ClusterNode; primary: boolean }[]> {
    const { routing_table } = await this.client.transport.request<RoutingTable>({
      method: 'GET',
      path: `/_cluster/state/routing_table/${index}`,
    })
    const copies = routing_table.indices[index]?.shards[shard] ?? []
    return copies
      .filter(({ state }) => state === 'STARTED' || state === 'RELOCATING')
      .map(({ node, primary }) => ({ node: this.#nodeById(node!), primary }))
  }

  /** Starts what is down, and waits until all copies are there. */
  async heal(): Promise<void> {
    await Promise.all(this.nodes.filter(({ port }) => port === undefined).map((node) => node.restart()))
    for (const { gate } of this.nodes) gate?.open()
    await this.allowAllocation('all')
    await this.green()
  }

  /** With `none` a copy that comes back stays as it is. */
  async allowAllocation(which: 'all' | 'none'): Promise<void> {
    const persistent = { 'cluster.routing.allocation.enable': which }
    await until('the setting is taken', async () => {
      return (await this.client.cluster.putSettings({ persistent })).acknowledged
    })
  }

  /** Waits until every copy of every shard is there. */
  async green(): Promise<void> {
    const isGreen = async () => {
      const { status, number_of_nodes } = await this.client.transport.request<Health>({
        method: 'GET',
        path: '/_cluster/health',
        querystring: { wait_for_status: 'green', wait_for_nodes: this.nodes.length, timeout: '5s' },
      })
      return status === 'green' && number_of_nodes === this.nodes.length
    }
    await until('the cluster is green', isGreen, { giveUpMs: GREEN_MS })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close()
    await this.#door[Symbol.asyncDispose]()
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()))
    this.#lock[Symbol.dispose]()
  }

  /** The first forms the cluster, the others join it. */
  async #startNodes({ version = '9.5.3', nodes, isGated = false }: ClusterOptions): Promise<void> {
    const clusterName = `freshet-${randomBytes(5).toString('hex')}`
    const start = async (number: number) => {
      const name = `node-${number}`
      const seeds = () =>
        this.nodes.filter((node) => node.name !== name).map(({ transportAddress }) => transportAddress)
      this.nodes.push(await ClusterNode.start({ version, clusterName, name, seeds, isGated }))
    }
    await start(1)
    const others = await Promise.allSettled(Array.from({ length: nodes - 1 }, (_, at) => start(at + 2)))
    for (const outcome of others) if (outcome.status === 'rejected') throw outcome.reason
  }

  #nodeById(id: string): ClusterNode {
    return this.nodes.find((node) => node.id === id)!
  }
}

interface Health {
  readonly status: string
  readonly number_of_nodes: number
}

interface RoutingTable {
  readonly routing_table: {
    readonly indices: Record<
      string,
      {
        readonly shards: Record<
          string,
          readonly { readonly state: string; readonly primary: boolean; readonly node: string | null }[]
        >
      }
    >
  }
}
