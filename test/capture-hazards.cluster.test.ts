/** What a cluster of three nodes can do to capture, one hazard at a time, each brought about on purpose. */
import { readFlights } from '@freshet/demo/flights.ts'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ClusterNode } from './cluster/cluster-node.ts'
import { sharedCluster } from './cluster/shared-cluster.ts'
import { WatchedCapture } from './cluster/watched-capture.ts'
import { Writers } from './cluster/writers.ts'
import { until } from './until.ts'

const TEST_MS = 10 * 60_000
const MOVES = 3
const PATIENCE = { giveUpMs: 120_000 }

const cluster = sharedCluster({ nodes: 3, isGated: true })

beforeEach(async () => {
  await cluster().heal()
}, TEST_MS)

describe('a failover', { timeout: TEST_MS }, () => {
  test('that rolls back newer operations above the checkpoint, which hid documents: the older versions come again', async () => {
    await using capture = await WatchedCapture.start(cluster(), { replicas: 2 })
    await capture.write('a', { first: true })
    await capture.untilEmitted('a', { first: true })

    capture.freeze()
    await capture.write('updated', { version: 1 })
    const seqNo = await capture.write('deleted', { version: 1 })
    const { primary, replicas } = await copiesOf(capture)
    await onPrimaryOnly(primary, replicas, [
      { index: { _index: capture.index, _id: 'updated' } },
      { version: 2 },
      { delete: { _index: capture.index, _id: 'deleted' } },
    ])
    capture.thaw()
    await capture.untilCursor(
      'the poller has passed what it could not see',
      (cursor) => cursor.seqNo >= seqNo,
    )
    expect(await capture.emitted('updated')).toEqual([])
    expect(await capture.emitted('deleted')).toEqual([])

    await primary.kill()
    for (const { gate } of replicas) gate!.open()
    await capture.untilEmitted('updated', { version: 1 })
    await capture.untilEmitted('deleted', { version: 1 })
    expect(await capture.untilComplete()).toMatchObject({ liveDocuments: 3, outranked: [] })
  })

  test('that rolls back a delete buries no document', async () => {
    await using capture = await WatchedCapture.start(cluster(), {
      ...{ replicas: 2, extra: { FRESHET_SWEEP_PAUSE_SECONDS: '0.1' } },
    })
    capture.stack.start('scorer')
    const [x, y] = await readFlights()
    await capture.write('x', x!.document)
    await capture.write('y', y!.document)
    await capture.untilSwept()

    const { primary, replicas } = await copiesOf(capture)
    const searches = (await searchesOf(capture))[primary.id]!
    await onPrimaryOnly(primary, replicas, [{ delete: { _index: capture.index, _id: 'x' } }])
    await until(
      'a sweep has read the living keys, without the document',
      async () => (await searchesOf(capture))[primary.id]! > searches,
      PATIENCE,
    )
    await primary.kill()
    for (const { gate } of replicas) gate!.open()
    await capture.remove('y')
    await capture.untilBuried('y')
    expect((await capture.emitted('x')).filter(({ source }) => source === null)).toEqual([])
    await capture.stack.conserved(PATIENCE)
  })
})

describe('a replica behind its primary', { timeout: TEST_MS }, () => {
  test('is never asked, neither before a failover nor after it', async () => {
    await using capture = await WatchedCapture.start(cluster(), { replicas: 2 })
    await capture.write('a', { first: true })
    await capture.untilEmitted('a', { first: true }) // the poller has looked at everything that it looks at once
    const { primary } = await copiesOf(capture)
    await expectOnlyPrimaryAsked(capture, { version: 1 })

    await primary.kill()
    await capture.write('a', { first: false })
    await capture.untilEmitted('a', { first: false })
    expect((await copiesOf(capture)).primary).not.toBe(primary)
    await expectOnlyPrimaryAsked(capture, { version: 2 })
  })
})

describe('a forced stale primary', { timeout: TEST_MS }, () => {
  test('has another history: what it has outranks what was emitted of the lost one', async () => {
    await using capture = await WatchedCapture.start(cluster(), { replicas: 1 })
    await capture.write('x', { version: 1 })
    await capture.untilEmitted('x', { version: 1 })
    const { primary, replicas } = await copiesOf(capture)
    const stale = replicas[0]!

    await cluster().allowAllocation('none')
    await stale.kill()
    const seqNo = await capture.write('x', { version: 2 })
    const lost = await capture.untilEmitted('x', { version: 2 })
    const before = await capture.untilCursor('all is captured', (cursor) => cursor.seqNo >= seqNo)
    await stale.restart()
    await primary.kill()
    await reroute(
      'the stale copy is the primary',
      { allocate_stale_primary: { ...shardOf(capture), node: stale.name, accept_data_loss: true } },
      async () => (await cluster().primaryOf(capture.index, 0)) === stale,
    )
    await cluster().allowAllocation('all')

    const again = await capture.untilEmitted('x', { version: 1 }, (epoch) => epoch > lost.revision.epoch)
    expect(again.revision.epoch).toBeGreaterThan(lost.revision.epoch)
    const after = await capture.cursor()
    expect(after!.identity.indexUuid).toBe(before.identity.indexUuid)
    expect(after!.identity.historyUuid).not.toBe(before.identity.historyUuid)
    expect(await capture.untilComplete()).toMatchObject({ liveDocuments: 1, outranked: [] })
  })
})

describe('relocation of the primary under load', { timeout: TEST_MS }, () => {
  test('loses nothing', async () => {
    await using capture = await WatchedCapture.start(cluster(), { replicas: 1 })
    const flights = await readFlights()
    {
      await using writers = new Writers({
        ...{ client: cluster().client, indices: [capture.index], flights, seed: 1, writers: 1, keys: 1_000 },
      })
      for (let move = 0; move < MOVES; move++) {
        const written = writers.acknowledged
        await until('more was written', async () => writers.acknowledged > written, PATIENCE)
        const { primary, elsewhere } = await copiesOf(capture)
        await reroute(
          'the primary has moved',
          { move: { ...shardOf(capture), from_node: primary.name, to_node: elsewhere!.name } },
          async () => (await cluster().primaryOf(capture.index, 0)) === elsewhere,
        )
      }
    }
    expect(await capture.untilComplete()).toMatchObject({ outranked: [] })
  })
})

describe('a restart of the whole cluster', { timeout: TEST_MS }, () => {
  test('is waited for, and loses nothing', async () => {
    await using capture = await WatchedCapture.start(cluster(), { replicas: 1 })
    await capture.write('x', { version: 1 })
    await capture.untilEmitted('x', { version: 1 })
    await capture.write('y', { version: 1 })
    await Promise.all(cluster().nodes.map((node) => node.kill()))
    await cluster().heal()
    await capture.write('x', { version: 2 })
    await capture.untilEmitted('x', { version: 2 })
    expect(await capture.untilComplete()).toMatchObject({ liveDocuments: 2, outranked: [] })
  })
})

interface Places {
  readonly primary: ClusterNode
  readonly replicas: readonly ClusterNode[]
  /** A node without a copy. */
  readonly elsewhere: ClusterNode | undefined
}

async function copiesOf({ index }: WatchedCapture): Promise<Places> {
  const copies = await cluster().copiesOf(index, 0)
  return {
    primary: copies.find(({ primary }) => primary)!.node,
    replicas: copies.filter(({ primary }) => !primary).map(({ node }) => node),
    elsewhere: cluster().nodes.find((node) => !copies.some((copy) => copy.node === node)),
  }
}

function shardOf({ index }: WatchedCapture) {
  return { index, shard: 0 }
}

/**
 * The operations are on the primary and can be found there; no replica has them, so nobody acknowledges them. Sent to
 * the primary's own node: another would try again with the next primary.
 */
async function onPrimaryOnly(
  primary: ClusterNode,
  replicas: readonly ClusterNode[],
  operations: readonly object[],
): Promise<void> {
  const before = replicas.map(({ gate }) => gate!.held)
  for (const { gate } of replicas) gate!.close()
  void fetch(`http://127.0.0.1:${primary.port}/_bulk`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: operations.map((line) => `${JSON.stringify(line)}\n`).join(''),
  }).catch(() => {}) // the primary dies first
  await until(
    'the write waits for the replicas',
    async () => replicas.every(({ gate }, at) => gate!.held > before[at]!),
    PATIENCE,
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
  const { indices } = await cluster().client.indices.stats({ index, metric: 'search', level: 'shards' })
  return Object.fromEntries(
    indices![index]!.shards!['0']!.map(({ routing, search }) => [routing!.node!, search!.query_total!]),
  )
}

/** Asks until it has happened: a master that has just been elected may know too little to obey. */
async function reroute(fact: string, command: object, hasHappened: () => Promise<boolean>): Promise<void> {
  const ask = async () => {
    if (await hasHappened().catch(() => false)) return true
    const body = { commands: [command] }
    await cluster().client.transport.request({ method: 'POST', path: '/_cluster/reroute', body })
    return hasHappened()
  }
  await until(fact, ask, PATIENCE)
}
