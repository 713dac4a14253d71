/** What the role of Freshet's user must allow, and what is said where it does not: on an Elasticsearch with security. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkCapturable } from '@freshet/adapters/elasticsearch/check.ts'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { excessPrivileges } from '@freshet/adapters/elasticsearch/excess-privileges.ts'
import { readGlobalCheckpoints } from '@freshet/adapters/elasticsearch/global-checkpoints.ts'
import { readIndexUuids } from '@freshet/adapters/elasticsearch/index-uuids.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { Pipeline } from '@freshet/poller/pipeline.kit.ts'
import { installTemplates } from '@freshet/telemetry/elasticsearch/template.ts'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { type Role, SecuredNode } from './cluster/secured-node.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 300_000 })
const WAIT = { timeout: 90_000, interval: 100 }

const on = (names: string, ...privileges: readonly string[]): Role['indices'][number] => ({
  names: names.split(' '),
  privileges,
})
const ALL = ['read', 'view_index_metadata', 'monitor', 'maintenance']
const CALLS = [
  'indices:monitor/stats',
  'indices:admin/get',
  'indices:admin/refresh*',
  'indices:data/read/search',
]

/** One of infra/access/elasticsearch, for the indices of these tests. */
function roleOf(file: string): Role {
  const path = join(import.meta.dirname, '../infra/access/elasticsearch', `${file}.json`)
  return JSON.parse(readFileSync(path, 'utf8').replaceAll('"documents"', '"*"'))
}

const ROLES = {
  full: roleOf('capture'),
  timestamp: roleOf('capture-timestamp'),
  rank: roleOf('rank'),
  watch: roleOf('watch'),
  telemetry: roleOf('telemetry'),
  // The distribution that these tests run has no data streams.
  'telemetry-setup': roleOf('telemetry-setup-plain'),
  'telemetry-reader': roleOf('telemetry-reader'),
  calls: { cluster: ['cluster:monitor/state'], indices: [on('*', ...CALLS)] },
  'no-cluster': { cluster: [], indices: [on('*', ...ALL)] },
  'read-only': { cluster: ['monitor'], indices: [on('*', 'read')] },
  'one-unread': { cluster: ['monitor'], indices: [on('p-1', ...ALL), on('p-2', ...ALL.slice(1))] },
  nothing: { cluster: [], indices: [] },
} satisfies Record<string, Role>

let node: SecuredNode | undefined
let whyNot = ''
beforeAll(async () => {
  try {
    node = await SecuredNode.start(ROLES)
  } catch (error) {
    if (!isFreshetError(error, 'TOOL_MISSING') && !isFreshetError(error, 'DOWNLOAD_FAILED')) throw error
    whyNot = error.message
    return
  }
  await using admin = clientOf('admin')
  for (const index of ['p-1', 'p-2'])
    await admin.indices.create({ index, settings: { number_of_replicas: 0 } })
})
beforeEach(({ skip }) => {
  if (node === undefined) skip(whyNot)
})
afterAll(() => node?.[Symbol.asyncDispose]())

function clientOf(user: string) {
  return connectElasticsearch({ ...loadSettings({ env: {} }).elasticsearch, url: node!.urlOf(user) })
}

async function check(
  user: keyof typeof ROLES | 'stranger',
  mode: 'seqNo' | 'timestamp' = 'seqNo',
  index = 'p-*',
) {
  await using client = clientOf(user)
  return await checkCapturable(client, { index, mode, timestampField: 'at' }, AbortSignal.timeout(60_000))
}

test.each<[keyof typeof ROLES, 'seqNo' | 'timestamp']>([
  ['full', 'seqNo'],
  ['calls', 'seqNo'],
  ['full', 'timestamp'],
  ['timestamp', 'timestamp'],
])('the role "%s" suffices for capture in mode %s', async (role, mode) => {
  expect(await check(role, mode)).toMatchObject([{ verdict: 'capturable' }, { verdict: 'capturable' }])
})

test.each<[keyof typeof ROLES, string]>([
  ['no-cluster', 'the role lacks cluster privilege monitor'],
  [
    'read-only',
    'the role lacks index privilege view_index_metadata on p-1, p-2; index privilege monitor on p-1, p-2; index privilege maintenance on p-1, p-2',
  ],
  ['one-unread', 'the role lacks index privilege read on p-2'],
  [
    'nothing',
    'the role lacks cluster privilege monitor; index privilege view_index_metadata on p-*; index privilege monitor on p-*; index privilege read on p-*; index privilege maintenance on p-*',
  ],
])('the role "%s" is told what it lacks, index by index', async (role, message) => {
  await expect(check(role)).rejects.toMatchObject({ code: 'ELASTICSEARCH_UNAUTHORIZED', message })
})

test('an index that a role may read alone is captured, although others are behind the pattern', async () => {
  expect(await check('one-unread', 'seqNo', 'p-1')).toMatchObject([{ name: 'p-1', verdict: 'capturable' }])
})

test('a user that is not known is told so, not that privileges are missing', async () => {
  await expect(check('stranger')).rejects.toMatchObject({
    code: 'ELASTICSEARCH_UNAUTHORIZED',
    message: expect.stringMatching(/401/),
  })
})

test('changes and deletes are captured with read, view_index_metadata, monitor and maintenance alone', async () => {
  await using pipeline = await Pipeline.open({ FRESHET_ELASTICSEARCH_URL: node!.urlOf('full') })
  await using admin = clientOf('admin')
  const index = `${pipeline.prefix}docs`
  await admin.indices.create({ index, settings: { number_of_replicas: 0, refresh_interval: '-1' } })
  pipeline.startPoller()
  await pipeline.startScorer()
  await admin.index({ index, id: 'a', document: { n: 1 } })
  await vi.waitFor(() => expect(pipeline.standing(`${index}/a`)).toBe('lives'), WAIT)
  await admin.delete({ index, id: 'a' })
  await vi.waitFor(() => expect(pipeline.standing(`${index}/a`)).toBe('deleted'), WAIT)
})

const signal = () => AbortSignal.timeout(60_000)

test('the role "rank" searches, and neither writes nor refreshes', async () => {
  await using client = clientOf('rank')
  expect((await client.search({ index: 'p-1', size: 0 })).timed_out).toBe(false)
  const forbidden = { statusCode: 403 }
  await expect(client.index({ index: 'p-1', document: {} })).rejects.toMatchObject(forbidden)
  await expect(client.indices.refresh({ index: 'p-1' })).rejects.toMatchObject(forbidden)
  await expect(client.indices.get({ index: 'p-1' })).rejects.toMatchObject(forbidden)
})

test('the role "watch" sees how far each shard is, and no document', async () => {
  await using client = clientOf('watch')
  expect((await readGlobalCheckpoints(client, 'p-*', signal())).length).toBeGreaterThan(0)
  await readIndexUuids(client, 'p-*', signal())
  await expect(client.search({ index: 'p-1' })).rejects.toMatchObject({ statusCode: 403 })
})

test('one role prepares telemetry, another writes it, a third reads it; who writes it sees no document', async () => {
  const settings = loadSettings({ env: { FRESHET_ELASTICSEARCH_URL: node!.urlOf('telemetry-setup') } })
  const nowMs = Date.now()
  await installTemplates(settings, nowMs)
  await using writer = clientOf('telemetry')
  const index = 'logs-freshet.otel-default-2001.01.01'
  const document = { '@timestamp': Date.now(), body: { text: 'a line' } }
  const { items, errors } = await writer.bulk({ operations: [{ create: { _index: index } }, document] })
  expect({ errors, status: items[0]?.create?.status }).toEqual({ errors: false, status: 201 })
  for (const name of [index, 'p-1'])
    await expect(writer.search({ index: name })).rejects.toMatchObject({ statusCode: 403 })
  await expect(writer.index({ index: 'p-1', document })).rejects.toMatchObject({ statusCode: 403 })
  await using reader = clientOf('telemetry-reader')
  expect((await reader.search({ index, size: 0 })).timed_out).toBe(false)
  await expect(reader.search({ index: 'p-1' })).rejects.toMatchObject({ statusCode: 403 })
  await installTemplates(settings, nowMs) // takes away what is too old
  await expect(reader.search({ index })).rejects.toMatchObject({ statusCode: 404 })
})

test('doctor learns of rights beyond those that capture needs', async () => {
  await using narrow = clientOf('full')
  expect(await excessPrivileges(narrow, { index: 'p-*' }, signal())).toEqual([])
  await using admin = clientOf('admin')
  expect(await excessPrivileges(admin, { index: 'p-*' }, signal())).toEqual([
    'manage_security of the cluster',
    'manage of the cluster',
    'write on p-*',
    'delete_index on p-*',
    'manage on p-*',
  ])
})
