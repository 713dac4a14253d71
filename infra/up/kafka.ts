import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { FreshetError } from '@freshet/errors/errors.ts'
import { chooseJdk } from './find-jdk.ts'
import { answersMetadata } from './kafka-metadata.ts'
import { type Artifact, copyWithDependencies } from './maven.ts'
import { type Server, type Site, softwareOf } from './server.ts'

const KAFKA: Artifact = {
  group: 'org.apache.kafka',
  name: 'kafka_2.13',
  version: '4.3.1',
  type: 'jar',
  megabytes: 45,
}
/** Without one, Kafka says nothing at all, not even why it does not start. */
const LOGGER: Artifact = {
  group: 'org.slf4j',
  name: 'slf4j-simple',
  version: '1.7.36',
  type: 'jar',
  megabytes: 0,
}
const JAVA_OPTIONS = [
  '-XX:+UseSerialGC', // a small heap on a small machine: 100 MB less than G1
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS',
]
/** Two seconds, on a machine that has time. */
const FORMAT_MS = 120_000

/** One node that is broker and controller (KRaft). */
export const kafka: Server = {
  name: 'kafka',
  ports: { client: 9092, inner: 9093 },
  portVariable: 'KAFKA_PORT',
  answers: answersMetadata,

  async prepare(site) {
    const jdk = chooseJdk(await site.jdks(), { atLeast: 17, purpose: 'Kafka' })
    const java = join(jdk.home, 'bin', 'java')
    const libraries = await softwareOf(site, KAFKA, (into, maven) =>
      copyWithDependencies([KAFKA, LOGGER], into, maven),
    )
    const options = [...JAVA_OPTIONS, '-cp', join(libraries, '*')]
    const file = join(site.dataDir, 'server.properties')
    writeFileSync(file, properties(site))
    if (!existsSync(join(logsFolder(site), 'meta.properties')))
      await format(java, [...options, 'kafka.tools.StorageTool'], file, site)
    return { command: java, args: ['-Xms256m', '-Xmx384m', ...options, 'kafka.Kafka', file] }
  },
}

function properties(site: Site): string {
  const { client, inner } = site.ports
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${inner}
listeners=PLAINTEXT://127.0.0.1:${client},CONTROLLER://127.0.0.1:${inner}
advertised.listeners=PLAINTEXT://127.0.0.1:${client}
controller.listener.names=CONTROLLER
log.dirs=${logsFolder(site)}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
`
}

/** A new log folder gets a cluster id before its first start. */
async function format(java: string, args: readonly string[], file: string, site: Site): Promise<void> {
  try {
    await promisify(execFile)(java, [...args, 'format', '-t', clusterId(randomBytes(16)), '-c', file], {
      ...site.user,
      cwd: site.dataDir,
      timeout: FORMAT_MS,
      signal: site.signal,
    })
  } catch (cause) {
    rmSync(logsFolder(site), { recursive: true, force: true }) // half formatted, it would pass for whole
    const { stderr = '', message, killed } = cause as Error & { stderr?: string; killed?: boolean }
    const why = killed === true ? `not done within ${FORMAT_MS / 1_000} s` : stderr.trim() || message
    throw new FreshetError('SERVICE_START_FAILED', `kafka: cannot format ${logsFolder(site)}: ${why}`, {
      cause,
    })
  }
}

/** 16 bytes as Kafka writes them; its tool takes an id that begins with `-` for an option, so none of ours does. */
export function clusterId(bytes: Buffer): string {
  const id = Buffer.from(bytes)
  id.writeUInt8(id.readUInt8(0) & 0x7f, 0)
  return id.toString('base64url')
}

function logsFolder({ dataDir }: Site): string {
  return join(dataDir, 'logs')
}
