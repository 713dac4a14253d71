import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { keySlot } from './key-slot.ts'
import { freePort, RedisServer } from './redis-server.kit.ts'

const SLOTS = 16_384
const DEADLINE_MS = 30_000

export interface ClusterMaster {
  readonly server: RedisServer
  /** Where the nodes speak to each other. */
  readonly busPort: number
  /** A client of this node alone. */
  readonly admin: Redis
  readonly id: string
}

/** Three masters without replicas, as redis-cli --cluster create would make them. */
export class RedisCluster implements AsyncDisposable {
  readonly masters: readonly ClusterMaster[]
  readonly #folder: string

  static async start(): Promise<RedisCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'freshet-redis-'))
    const masters = await Promise.all([0, 1, 2].map((n) => startMaster(join(folder, `${n}.conf`))))
    const cluster = new RedisCluster(masters, folder)
    await cluster.#join()
    return cluster
  }

  private constructor(masters: readonly ClusterMaster[], folder: string) {
    this.masters = masters
    this.#folder = folder
  }

  get url(): string {
    return this.masters[0]!.server.url
  }

  /** Who holds a key as long as nothing was moved. */
  masterOf(key: string): ClusterMaster {
    return this.masters[Math.floor((keySlot(key) * this.masters.length) / SLOTS)]!
  }

  /** Hands the slot of a key, with all that lies in it, from the master that has it to another. */
  async moveSlotOf(key: string, to: ClusterMaster): Promise<void> {
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

  /** Until every node has found that all slots are served, or that not all are. */
  async untilState(state: 'ok' | 'fail', nodes = this.masters): Promise<void> {
    const deadlineMs = Date.now() + DEADLINE_MS
    for (const { admin } of nodes)
      while (
        !(await admin.call('CLUSTER', 'INFO').catch(() => ''))?.toString().includes(`cluster_state:${state}`)
      ) {
        if (Date.now() > deadlineMs) throw new Error(`the cluster does not become ${state}`)
        await sleep(20)
      }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { admin } of this.masters) admin.disconnect()
    await Promise.all(this.masters.map(({ server }) => server[Symbol.asyncDispose]()))
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

async function startMaster(config: string): Promise<ClusterMaster> {
  const busPort = await freePort()
  const options = [
    '--cluster-enabled',
    'yes',
    '--cluster-config-file',
    config,
    '--cluster-port',
    `${busPort}`,
  ]
  const server = await RedisServer.start([...options, '--cluster-node-timeout', '1000'])
  const admin = server.newClient()
  return { server, busPort, admin, id: (await admin.call('CLUSTER', 'MYID')) as string }
}
