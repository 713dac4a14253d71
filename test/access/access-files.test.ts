/** infra/access against the code: each service has the rights on Kafka and S3 that its files use, and no others. */
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { POINTER_OBJECT } from '@freshet/model/bundle/model-pointer.ts'
import { LATEST_OBJECT } from '@freshet/records/latest-snapshot.ts'
import { MANIFEST_OBJECT } from '@freshet/records/manifest.ts'
import { shadowReportKey } from '@freshet/records/shadow-report.ts'
import { TOLD_OBJECT } from '@freshet/records/told.ts'
import {
  captureGroup,
  consumerGroups,
  rescoreGroup,
  speakerGroup,
  TOPICS,
  type TopicName,
  topicName,
} from '@freshet/records/topics.ts'
import { instanceName } from '@freshet/service/instance-name.ts'
import { describe, expect, test } from 'vitest'
import { type KafkaRule, kafkaRules } from './kafka-rules.ts'

const ROOT = join(import.meta.dirname, '../..')
const FOLDER = join(ROOT, 'infra/access')
const SERVICES = ['poller', 'scorer', 'gateway', 'watchdog'] as const
type ServiceName = (typeof SERVICES)[number]
const PIPELINE = 'shop'

function codeOf(service: ServiceName): string[] {
  return globSync(join(ROOT, 'services', service, '**/*.ts'), { exclude: ['**/node_modules/**'] })
    .filter((file) => !/\.(test|kit)\.ts$/.test(file))
    .map((file) => readFileSync(file, 'utf8'))
}

describe('kafka-acls.sh', () => {
  const rules = kafkaRules(PIPELINE)

  function may(user: string, operation: string, kind: KafkaRule['kind'], name: string): boolean {
    return rules.some(
      (rule) =>
        rule.user === user &&
        rule.kind === kind &&
        (rule.isPrefix ? name.startsWith(rule.name) : name === rule.name) &&
        rule.operations.includes(operation),
    )
  }

  /** What each does with topics. Those that every service has from `shared/service` are added below. */
  const uses: Readonly<Record<ServiceName, { reads: readonly TopicName[]; writes: readonly TopicName[] }>> = {
    poller: { reads: ['cursors'], writes: ['changes', 'cursors', 'dead'] },
    scorer: { reads: ['changes', 'scores'], writes: ['scores', 'dead'] },
    gateway: { reads: [], writes: [] },
    watchdog: { reads: ['heartbeats', 'cursors', 'control'], writes: ['control'] },
  }
  const groups: Readonly<Record<ServiceName, readonly string[]>> = {
    poller: [captureGroup(PIPELINE)],
    scorer: [...consumerGroups(PIPELINE).map(({ groupId }) => groupId), rescoreGroup(PIPELINE)],
    gateway: [],
    watchdog: [speakerGroup(PIPELINE)],
  }

  test.each(SERVICES)('%s names no other topics in its code than the ones here', (service) => {
    const named = codeOf(service).flatMap((code) =>
      [...code.matchAll(/topicName\([\w.#]+, '(\w+)'/g)].map((match) => match[1] as TopicName),
    )
    const { reads, writes } = uses[service]
    expect([...new Set(named)].filter((name) => !reads.includes(name) && !writes.includes(name))).toEqual([])
  })

  test.each(SERVICES)('%s may read and write its topics and use its groups, and nothing else', (service) => {
    const { reads, writes } = uses[service]
    for (const topic of Object.keys(TOPICS) as TopicName[]) {
      const name = topicName(PIPELINE, topic)
      const isRead = reads.includes(topic) || topic === 'control' // for orders to trace a document
      const isWritten = writes.includes(topic) || topic === 'heartbeats'
      expect(may(service, 'Read', 'topic', name), `reads ${name}`).toBe(isRead)
      expect(may(service, 'Write', 'topic', name), `writes ${name}`).toBe(isWritten)
      if (service !== 'gateway') expect(may(service, 'DescribeConfigs', 'topic', name)).toBe(true)
    }
    const all = Object.values(groups).flat()
    const joined = all.filter((group) => may(service, 'Read', 'group', group))
    expect(joined).toEqual(groups[service])
    expect(may(service, 'Read', 'group', `${instanceName(service)}-orders.reader.1`)).toBe(true)
  })

  test('pollers and watchdogs see where the groups stand', () => {
    for (const { groupId } of consumerGroups(PIPELINE))
      for (const user of ['poller', 'watchdog']) expect(may(user, 'Describe', 'group', groupId)).toBe(true)
  })

  test('nobody alters topics, settings or the cluster, and no rule reaches beyond the pipeline', () => {
    const allowed = new Set(['Read', 'Write', 'Describe', 'DescribeConfigs', 'Create'])
    for (const rule of rules) {
      expect(rule.operations.filter((name) => !allowed.has(name))).toEqual([])
      if (rule.kind === 'topic') expect(rule.name.startsWith(`${PIPELINE}.`)).toBe(true)
      if (rule.operations.includes('Create')) expect(rule.user).toBe('bootstrap')
    }
  })
})

describe('the policies of S3', () => {
  interface Statement {
    readonly Effect: string
    readonly Action: readonly string[]
    readonly Resource: readonly string[]
  }

  function policyOf(name: string): readonly Statement[] {
    return JSON.parse(readFileSync(join(FOLDER, 's3', `${name}.json`), 'utf8')).Statement
  }

  function may(name: string, action: string, key?: string): boolean {
    const resource = `arn:aws:s3:::freshet${key === undefined ? '' : `/freshet/${key}`}`
    return policyOf(name).some(
      (statement) =>
        statement.Effect === 'Allow' &&
        statement.Action.includes(`s3:${action}`) &&
        statement.Resource.some((pattern) => matches(pattern, resource)),
    )
  }

  function matches(pattern: string, resource: string): boolean {
    const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
    return new RegExp(`^${parts.join('.*')}$`).test(resource)
  }

  const SNAPSHOT = [MANIFEST_OBJECT, LATEST_OBJECT, 'snapshots/0/base.parquet']
  const MODELS = [POINTER_OBJECT, 'models/a/1/model.onnx']

  test('whoever asks for an object that is not there is told so, not that it is forbidden', () => {
    for (const name of [...SERVICES, 'operator']) expect(may(name, 'ListBucket')).toBe(true)
  })

  test('a scorer writes the snapshot and its report on a shadow, and no model', () => {
    for (const key of SNAPSHOT)
      for (const action of ['GetObject', 'PutObject', 'DeleteObject', 'AbortMultipartUpload'])
        expect(may('scorer', action, key), `${action} ${key}`).toBe(true)
    expect(may('scorer', 'ListBucketMultipartUploads')).toBe(true)
    expect(may('scorer', 'PutObject', shadowReportKey('a@1'))).toBe(true)
    for (const key of MODELS) {
      expect(may('scorer', 'GetObject', key)).toBe(true)
      expect(may('scorer', 'PutObject', key)).toBe(false)
      expect(may('scorer', 'DeleteObject', key)).toBe(false)
    }
  })

  test.each(['poller', 'gateway', 'watchdog'])('%s reads and changes nothing', (name) => {
    for (const key of SNAPSHOT) expect(may(name, 'GetObject', key)).toBe(true)
    for (const key of MODELS) expect(may(name, 'GetObject', key)).toBe(name !== 'poller')
    const verbs = policyOf(name).flatMap(({ Action }) => Action)
    expect(verbs.filter((verb) => !['s3:GetObject', 's3:ListBucket'].includes(verb))).toEqual([])
  })

  test('an operator promotes models and leaves word of a run', () => {
    for (const key of [...MODELS, 'models/generation.json', 'models/shadow.json', TOLD_OBJECT, ...SNAPSHOT])
      for (const action of ['GetObject', 'PutObject', 'DeleteObject'])
        expect(may('operator', action, key), `${action} ${key}`).toBe(true)
  })

  test('the code asks S3 for nothing that no policy speaks of', () => {
    const code = globSync(join(ROOT, 'shared/adapters/s3/*.ts'))
      .filter((file) => !file.endsWith('.test.ts'))
      .map((file) => readFileSync(file, 'utf8'))
      .join()
    const calls = new Set([...code.matchAll(/new (\w+)Command\(/g)].map((match) => match[1]!))
    const known = {
      GetObject: 's3:GetObject',
      HeadObject: 's3:GetObject',
      PutObject: 's3:PutObject',
      CreateMultipartUpload: 's3:PutObject',
      UploadPart: 's3:PutObject',
      CompleteMultipartUpload: 's3:PutObject',
      AbortMultipartUpload: 's3:AbortMultipartUpload',
      ListMultipartUploads: 's3:ListBucketMultipartUploads',
      ListObjectsV2: 's3:ListBucket',
      HeadBucket: 's3:ListBucket',
      DeleteObject: 's3:DeleteObject',
      CreateBucket: 'of bootstrap, where the bucket is not there',
      ListBuckets: 'which doctor hopes to be refused',
    }
    expect([...calls].toSorted()).toEqual(Object.keys(known).toSorted())
  })
})

test('no file of rights holds a password, and each that is JSON can be read', () => {
  for (const file of globSync(join(FOLDER, '**/*.json'))) {
    const text = readFileSync(file, 'utf8')
    expect(() => JSON.parse(text), basename(file)).not.toThrow()
  }
  expect(readFileSync(join(FOLDER, 'redis.acl'), 'utf8')).not.toMatch(/ (>|<|nopass)|#[0-9a-f]{64}/)
})
