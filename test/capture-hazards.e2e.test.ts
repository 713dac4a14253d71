/** What a cluster of three nodes can do to capture, one hazard at a time, each brought about on purpose. */
import { readFlights } from '@freshet/demo/flights.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ClusterNode } from './cluster/cluster-node.ts'
import { ElasticsearchCluster } from './cluster/elasticsearch-cluster.ts'
import { WatchedCapture } from './cluster/watched-capture.ts'
import { Writers } from './cluster/writers.ts'
import { until } from './until.ts'

const START_MS = 30 * 60_000
const TEST_MS = 10 * 60_000

let cluster: ElasticsearchCluster
let unavailable: string | undefined

beforeAll(async () => {
  try {
    cluster = await ElasticsearchCluster.start({ nodes: 3, isGated: true })
  } catch (error) {
    if (!isFreshetError(error, 'TOOL_MISSING') && !isFreshetError(error, 'DOWNLOAD_FAILED')) throw error
    unavailable = error.message
  }
}, START_MS)

beforeEach(({ skip }) => {
  if (unavailable !== undefined) skip(unavailable)
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
}, START_MS)

describe('a failover', () => {
  test.each([
    { newer: 'update', request: { method: 'PUT', body: '{"version":2}' } },
    { newer: 'delete', request: { method: 'DELETE' } },
  ])(
    'that rolls back a newer $newer above the checkpoint, which hid a document: the older version comes again',
    async ({ request }) => {
      await using capture = await WatchedCapture.start(cluster, { replicas: 2 })
      await capture.write('a', { first: true })
      await capture.untilEmitted('a', { first: true })

      capture.freeze()
      const seqNo = await capture.write('x', { version: 1 })
      const { primary, replicas } = await copiesOf(capture)
      await onPrimaryOnly(primary, replicas, `/${capture.index}/_doc/x`, request)
      capture.thaw()
      await capture.untilCursor(
        'the poller has passed what it could not see',
        (cursor) => cursor.seqNo >= seqNo,
      )
      expect(await capture.emitted('x')).toEqual([])

      await primary.kill()
      for (const { gate } of replicas) gate!.open()
      await capture.untilEmitted('x', { version: 1 })
      await primary.restart()
      await cluster.green()
      expect(await capture.untilComplete()).toMatchObject({ liveDocuments: 2, outranked: [] })
    },
    TEST_MS,
  )
})

describe('a replica behind its primary', () => {
  test(
    'is never asked, neither before a failover nor after it',
    async () => {
      await using capture = await WatchedCapture.start(cluster, { replicas: 2 })
      await capture.write('a', { first: true })
      await capture.untilEmitted('a', { first: true }) // the poller has looked at everything that it looks at once
      const first = await copiesOf(capture)
      await expectOnlyPrimaryAsked(capture, { version: 1 })

      await first.primary.kill()
      await capture.write('a', { first: false })
      await capture.untilEmitted('a', { first: false })
      expect((await copiesOf(capture)).primary.id).not.toBe(first.primary.id)
      await expectOnlyPrimaryAsked(capture, { version: 2 })
      await first.primary.restart()
      await cluster.green()
    },
    TEST_MS,
  )
})

describe('a forced stale primary', () => {
  test(
    'has another history: what it has outranks what was emitted of the lost one',
    async () => {
      await using capture = await WatchedCapture.start(cluster, { replicas: 1 })
      await capture.write('x', { version: 1 })
      await capture.untilEmitted('x', { version: 1 })
      const { primary, replicas } = await copiesOf(capture)
      const stale = replicas[0]!

      await allocation('none')
      await stale.kill()
      await capture.write('x', { version: 2 })
      const lost = await capture.untilEmitted('x', { version: 2 })
      const before = await capture.untilCursor('it is stored', ({ seqNo }) => seqNo >= lost.revision.seqNo)
      await stale.restart()
      await primary.kill()
      await reroute({
        allocate_stale_primary: {
          ...{ index: capture.index, shard: 0, node: stale.name, accept_data_loss: true },
        },
      })
      await allocation(null)

      const after = await capture.untilCursor(
        'the poller has met the new history',
        ({ identity, seqNo }) => identity.historyUuid !== before.identity.historyUuid && seqNo >= 0,
      )
      expect(after.epoch).toBeGreaterThan(before.epoch)
      expect(after.identity.indexUuid).toBe(before.identity.indexUuid)
      const again = await capture.untilEmitted('x', { version: 1 })
      expect(again.revision.epoch).toBeGreaterThan(lost.revision.epoch)
      await primary.restart()
      await cluster.green()
      expect(await capture.untilComplete()).toMatchObject({ liveDocuments: 1, outranked: [] })
    },
    TEST_MS,
  )
})

describe('relocation of the primary under load', () => {
  test(
    'loses nothing',
    async () => {
      await using capture = await WatchedCapture.start(cluster, { replicas: 1 })
      const flights = await readFlights()
      {
        await using writers = new Writers({
          ...{ client: cluster.client, indices: [capture.index], flights, seed: 1, writers: 1, keys: 1_000 },
        })
        for (let moves = 0; moves < 3; moves++) {
          const written = writers.acknowledged
          await until('more was written', async () => writers.acknowledged > written)
          const { primary, elsewhere } = await copiesOf(capture)
          await reroute({
            move: { index: capture.index, shard: 0, from_node: primary.name, to_node: elsewhere!.name },
          })
          await until(
            'the primary has moved',
            async () => (await cluster.primaryOf(capture.index, 0)) === elsewhere,
            { giveUpMs: 120_000 },
          )
        }
      }
      expect(await capture.untilComplete()).toMatchObject({ outranked: [] })
    },
    TEST_MS,
  )
})

describe('a restart of the whole cluster', () => {
  test(
    'is waited for, and loses nothing',
    async () => {
      await using capture = await WatchedCapture.start(cluster, { replicas: 1 })
      await capture.write('x', { version: 1 })
      await capture.untilEmitted('x', { version: 1 })
      await capture.write('y', { version: 1 })
      await Promise.all(cluster.nodes.map((node) => node.kill()))
      await Promise.all(cluster.nodes.map((node) => node.restart()))
      await cluster.green()
      await capture.write('x', { version: 2 })
      await capture.untilEmitted('x', { version: 2 })
      expect(await capture.untilComplete()).toMatchObject({ liveDocuments: 2, outranked: [] })
    },
    TEST_MS,
  )
})

interface Places {
  readonly primary: ClusterNode
  readonly replicas: readonly ClusterNode[]
  /** A node without a copy. */
  readonly elsewhere: ClusterNode | undefined
}

async function copiesOf({ index }: WatchedCapture): Promise<Places> {
  const copies = await cluster.copiesOf(index, 0)
  return {
    primary: copies.find(({ primary }) => primary)!.node,
    replicas: copies.filter(({ primary }) => !primary).map(({ node }) => node),
    elsewhere: cluster.nodes.find((node) => !copies.some((copy) => copy.node === node)),
  }
}

/**
 * The write is on the primary and can be found there; no replica has it, so nobody acknowledges it. Sent to the
 * primary's own node: another would try again with the next primary.
 */
async function onPrimaryOnly(
  primary: ClusterNode,
  replicas: readonly ClusterNode[],
  path: string,
  { method, body }: { method: string; body?: string },
): Promise<void> {
  const before = replicas.map(({ gate }) => gate!.held)
  for (const { gate } of replicas) gate!.close()
  const headers = { 'content-type': 'application/json' }
  void fetch(`http://127.0.0.1:${primary.port}${path}`, {
    ...{ method, headers, ...(body !== undefined && { body }) },
  }).catch(() => {}) // the primary dies first
  await until('the write waits for the replicas', async () =>
    replicas.every(({ gate }, at) => gate!.held > before[at]!),
  )
}

async function expectOnlyPrimaryAsked(capture: WatchedCapture, document: object): Promise<void> {
  const { primary, replicas } = await copiesOf(capture)
  const before = await searchesOf(capture)
  await capture.write('x', document)
  await capture.untilEmitted('x', document)
  const after = await searchesOf(capture)
  expect(after[primary.id]).toBeGreaterThan(before[primary.id]!)
  for (const { id } of replicas) expect(after[id]).toBe(before[id])
}

/** Searches that each copy has answered since it was opened, by the id of its node. */
async function searchesOf({ index }: WatchedCapture): Promise<Record<string, number>> {
  const { indices } = await cluster.client.indices.stats({ index, metric: 'search', level: 'shards' })
  return Object.fromEntries(
    indices![index]!.shards!['0']!.map(({ routing, search }) => [routing!.node!, search!.query_total!]),
  )
}

async function reroute(command: object): Promise<void> {
  await cluster.client.transport.request({
    method: 'POST',
    path: '/_cluster/reroute',
    body: { commands: [command] },
  })
}

async function allocation(enable: 'none' | null): Promise<void> {
  await cluster.client.cluster.putSettings({ persistent: { 'cluster.routing.allocation.enable': enable } })
}
