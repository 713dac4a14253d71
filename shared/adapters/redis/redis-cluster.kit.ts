import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { keySlot } from './key-slot.ts'
import { freePort, RedisServer } from './redis-server.kit.ts'

const SLOTS = 16_384
const DEADLINE_MS = 30_000

export interface ClusterNode {
  readonly server: RedisServer
  /** Where the nodes speak to each other. */
  readonly busPort: number
  /** A client of this node alone. */
  readonly admin: Redis
  readonly id: string
}

/** Three masters, as redis-cli --cluster create would make them, without replicas until one is added. */
export class RedisCluster implements AsyncDisposable {
  readonly masters: readonly ClusterNode[]
  readonly #folder: string
  readonly #replicas: ClusterNode[] = []

  static async start(): Promise<RedisCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'freshet-redis-'))
    const masters = await Promise.all([0, 1, 2].map((n) => startNode(join(folder, `${n}`))))
    const cluster = new RedisCluster(masters, folder)
    try {
      await cluster.#join()
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
    return cluster
  }

  private constructor(masters: readonly ClusterNode[], folder: string) {
    this.masters = masters
    this.#folder = folder
  }

  get url(): string {
    return this.masters[0]!.server.url
  }

  /** Who holds a key as long as nothing was moved. */
  masterOf(key: string): ClusterNode {
    return this.masters[Math.floor((keySlot(key) * this.masters.length) / SLOTS)]!
  }

  /** Hands the slot of a key, with all that lies in it, from the master that has it to another. */
  async moveSlotOf(key: string, to: ClusterNode): Promise<void> {
    const from = this.masterOf(key)
    const slot = keySlot(key)
    await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id)
    await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id)
    for (;;) {
      const keys = (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[]
      if (keys.length === 0) break
      await from.admin.call('MIGRATE', '127.0.0.1', to.server.port, '', 0, 5_000, 'KEYS', ...keys)
    }
    for (const { admin } of [to, from]) await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id)
  }

  /** Takes over when its master is gone. Has all that the master had when this resolves. */
  async addReplica(master: ClusterNode): Promise<ClusterNode> {
    const replica = await startNode(join(this.#folder, `replica-${this.#replicas.length}`))
    this.#replicas.push(replica)
    await replica.admin.call('CLUSTER', 'MEET', '127.0.0.1', master.server.port, master.busPort)
    await untilSo('it knows the others', async () => {
      const nodes = (await replica.admin.call('CLUSTER', 'NODES')) as string
      return this.masters.every(({ id }) => nodes.includes(id))
    })
    await replica.admin.call('CLUSTER', 'REPLICATE', master.id)
    await untilSo('it follows its master', async () => {
      return /master_link_status:up/.test(await replica.admin.info('replication'))
    })
    await this.untilState('ok', [...this.masters, replica])
    return replica
  }

  /** Until the replica has what the master had when it was asked. */
  async untilCaughtUp(replica: ClusterNode, master: ClusterNode): Promise<void> {
    const offsetOf = async ({ admin }: ClusterNode, name: string) =>
      Number(new RegExp(`${name}:(\\d+)`).exec(await admin.info('replication'))?.[1])
    const there = await offsetOf(master, 'master_repl_offset')
    await untilSo('the replica has caught up', async () => {
      return (await offsetOf(replica, 'slave_repl_offset')) >= there
    })
  }

  /** What the master takes from now on does not reach the replica, which may take over all the same. */
  async cutOff(replica: ClusterNode, { admin }: ClusterNode): Promise<void> {
    await replica.admin.config('SET', 'masterauth', 'none is asked for') // so its master will not have it again
    await admin.call('CLIENT', 'KILL', 'TYPE', 'replica')
    await untilSo('the replica has lost its master', async () =>
      /master_link_status:down/.test(await replica.admin.info('replication')),
    )
  }

  /** Until every node has found that all slots are served, or that not all are. */
  async untilState(state: 'ok' | 'fail', nodes = this.masters): Promise<void> {
    for (const { admin } of nodes)
      await untilSo(`the cluster is ${state}`, async () => {
        const info = (await admin.call('CLUSTER', 'INFO').catch(() => '')) as string
        return info.includes(`cluster_state:${state}`)
      })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const nodes = [...this.masters, ...this.#replicas]
    for (const { admin } of nodes) admin.disconnect()
    await Promise.all(nodes.map(({ server }) => server[Symbol.asyncDispose]()))
    await rm(this.#folder, { recursive: true })
  }

  async #join(): Promise<void> {
    const [first] = this.masters
    for (const [n, { admin }] of this.masters.entries()) {
      const from = Math.ceil((n * SLOTS) / this.masters.length)
      const to = Math.ceil(((n + 1) * SLOTS) / this.masters.length) - 1
      await admin.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
      await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', n + 1)
      if (n > 0) await admin.call('CLUSTER', 'MEET', '127.0.0.1', first!.server.port, first!.busPort)
    }
    await this.untilState('ok')
  }
}

async function untilSo(fact: string, ask: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + DEADLINE_MS
  while (!(await ask())) {
    if (Date.now() > deadlineMs) throw new Error(`not in ${DEADLINE_MS / 1_000} s: ${fact}`)
    await sleep(20)
  }
}

/** @param folder of its own: a replica writes there what its master sends it */
async function startNode(folder: string): Promise<ClusterNode> {
  await mkdir(folder)
  const busPort = await freePort()
  const options = [
    '--cluster-enabled',
    'yes',
    '--dir',
    folder,
    '--cluster-port',
    `${busPort}`,
    '--cluster-replica-validity-factor', // however long it was cut off
    '0',
  ]
  const server = await RedisServer.start([...options, '--cluster-node-timeout', '1000'])
  const admin = server.newClient()
  return { server, busPort, admin, id: (await admin.call('CLUSTER', 'MYID')) as string }
}
