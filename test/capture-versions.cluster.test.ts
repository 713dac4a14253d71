/** What holds on each version of Elasticsearch, on one node of it. */
import { readFlights } from '@freshet/demo/flights.ts'
import { describe, expect, test } from 'vitest'
import { VERSIONS } from './cluster/cluster-node.ts'
import { sharedCluster } from './cluster/shared-cluster.ts'
import { WatchedCapture } from './cluster/watched-capture.ts'
import { Stack } from './stack.ts'
import { tracedServices } from './traced-services.ts'
import { until } from './until.ts'

const TEST_MS = 10 * 60_000
const PATIENCE = { giveUpMs: 120_000 }
const flights = await readFlights()

describe.each(VERSIONS)('Elasticsearch %s', { timeout: TEST_MS }, (version) => {
  const cluster = sharedCluster({ version, nodes: 1 })

  test('documents are captured, scored, stored and traced, and their deletes too', async () => {
    await using stack = await Stack.open({
      FRESHET_ELASTICSEARCH_URL: cluster().url,
      FRESHET_SWEEP_PAUSE_SECONDS: '0.1',
    })
    stack.start('poller', 'scorer')
    const documents = flights.slice(0, 200).map(({ id, document }) => [id, document] as const)
    await stack.write(Object.fromEntries(documents))
    expect(await stack.conserved(PATIENCE)).toMatchObject({ liveDocuments: 200 })
    await stack.client.delete({ index: stack.index, id: documents[0]![0] })
    expect(await stack.conserved(PATIENCE)).toMatchObject({ liveDocuments: 199 })
    await until(
      'spans of both services are in Elasticsearch',
      async () => (await tracedServices(stack)).size === 2,
      PATIENCE,
    )
  })

  test('kill -9 and restart of a single copy: only the term changes, and what a lost update hid comes again', async () => {
    await using capture = await WatchedCapture.start(cluster())
    await capture.write('a', { first: true })
    await capture.untilEmitted('a', { first: true })
    const { client } = capture.stack
    const before = await capture.untilCursor('all is captured', ({ seqNo }) => seqNo >= 0)

    capture.freeze()
    const seqNo = await capture.write('x', { version: 1 })
    await client.indices.putSettings({
      ...{ index: capture.index, settings: { translog: { durability: 'async', sync_interval: '1h' } } },
    })
    await capture.write('x', { version: 2 }) // acknowledged, and in memory only
    capture.thaw()
    await capture.untilCursor(
      'the poller has passed what it could not see',
      (cursor) => cursor.seqNo >= seqNo,
    )
    expect(await capture.emitted('x')).toEqual([])

    const node = cluster().nodes[0]!
    await node.kill()
    await node.restart()
    await capture.untilEmitted('x', { version: 1 })
    expect(await capture.untilComplete()).toMatchObject({ liveDocuments: 2, outranked: [] })
    const { identity, epoch } = (await capture.cursor())!
    expect(identity.primaryTerm).toBeGreaterThan(before.identity.primaryTerm)
    expect({ identity: { ...identity, primaryTerm: 0 }, epoch }).toEqual({
      identity: { ...before.identity, primaryTerm: 0 },
      epoch: before.epoch,
    })
  })

  test('a snapshot restored over its index has another history: it outranks what was emitted since', async () => {
    await using capture = await WatchedCapture.start(cluster())
    const { client } = capture.stack
    const snapshot = { repository: 'backup', snapshot: capture.index }
    await client.snapshot.createRepository({
      ...{ name: snapshot.repository, repository: { type: 'fs', settings: { location: 'backup' } } },
    })
    await capture.write('x', { version: 1 })
    await client.snapshot.create({ ...snapshot, indices: capture.index, wait_for_completion: true })
    await capture.write('x', { version: 2 })
    const lost = await capture.untilEmitted('x', { version: 2 })
    const before = (await capture.cursor())!

    await client.indices.close({ index: capture.index })
    await client.snapshot.restore({ ...snapshot, indices: capture.index, wait_for_completion: true })
    await capture.untilEmitted('x', { version: 1 }, (epoch) => epoch > lost.revision.epoch)
    expect(await capture.untilComplete()).toMatchObject({ liveDocuments: 1, outranked: [] })
    const { identity } = (await capture.cursor())!
    expect(identity.indexUuid).toBe(before.identity.indexUuid)
    expect(identity.historyUuid).not.toBe(before.identity.historyUuid)
  })
})
