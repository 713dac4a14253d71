import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { TOPICS, type TopicName, type TopicSpec, topicName } from '@freshet/records/topics.ts'
import { type KafkaConnection, withAdmin } from './connect.ts'
import { createLed, partitionsOf } from './kafkajs/create-led.ts'
import kafkajs, { type Admin, type ITopicConfig } from './kafkajs/kafkajs.ts'

/**
 * Makes the topics of a pipeline that are not there, and resolves when every partition has a leader. Topics that are
 * there stay as they are: `checkTopics` judges them. So a pipeline of an older build gets those that are new.
 * @returns the names of those that were made
 * @throws KAFKA_REFUSED, e.g. with fewer brokers than replicas; KAFKA_UNREACHABLE; DEADLINE when `signal` aborts
 */
export async function createTopics(
  connection: KafkaConnection,
  pipeline: string,
  settings: Settings['kafka'],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const topics = Object.entries<TopicSpec>(TOPICS).map(([name, spec]) =>
    toKafkaJs(topicName(pipeline, name as TopicName), spec, settings),
  )
  return await withAdmin(
    connection,
    { doing: `creating the topics of ${pipeline}`, signal },
    async (admin) => {
      const there = new Set(await admin.listTopics())
      const missing = topics.filter(({ topic }) => !there.has(topic))
      if (missing.length > 0) await createLed(admin, missing, signal)
      return missing.map(({ topic }) => topic)
    },
  )
}

/**
 * @returns how many partitions each topic has
 * @throws TOPIC_MISSING, TOPIC_POLICY with the command that mends it; KAFKA_UNREACHABLE; DEADLINE when `signal` aborts
 */
export async function checkTopics(
  connection: KafkaConnection,
  pipeline: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<TopicName, number>> {
  return await withAdmin(
    connection,
    { doing: `checking the topics of ${pipeline}`, signal },
    async (admin) => {
      const there = new Set(await admin.listTopics())
      const partitions = new Map<TopicName, number>()
      for (const [name, spec] of Object.entries(TOPICS) as [TopicName, TopicSpec][]) {
        const topic = topicName(pipeline, name)
        if (!there.has(topic)) throw missing(connection, topic, spec)
        partitions.set(name, (await partitionsOf(admin, topic)).length)
      }
      await checkPolicies(connection, admin, pipeline)
      return partitions
    },
  )
}

/**
 * What topics of an older build lack, each with the command that mends it: a pipeline works without it, and not as well.
 * @throws KAFKA_REFUSED; KAFKA_UNREACHABLE; DEADLINE when `signal` aborts
 */
export async function adviseOnTopics(
  connection: KafkaConnection,
  pipeline: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found = await withAdmin(
    connection,
    { doing: `looking at the topics of ${pipeline}`, signal },
    (admin) => describe(admin, pipeline, TIMESTAMP_TYPE),
  )
  return found.flatMap(({ topic, spec, value }) => {
    const expected = spec.settings[TIMESTAMP_TYPE]
    return expected === undefined || value === expected
      ? []
      : `${topic} has ${TIMESTAMP_TYPE}=${value}, and should have ${expected}: ${alterCommand(connection, topic, `${TIMESTAMP_TYPE}=${expected}`)}`
  })
}

async function checkPolicies(connection: KafkaConnection, admin: Admin, pipeline: string): Promise<void> {
  for (const { topic, spec, value } of await describe(admin, pipeline, CLEANUP_POLICY))
    if (value !== spec.cleanupPolicy)
      throw new FreshetError(
        'TOPIC_POLICY',
        `${topic} has ${CLEANUP_POLICY}=${value}, but must have ${spec.cleanupPolicy}: ${alterCommand(connection, topic, `${CLEANUP_POLICY}=${spec.cleanupPolicy}`)}`,
      )
}

interface FoundSetting {
  readonly topic: string
  readonly spec: TopicSpec
  readonly value: string | undefined
}

async function describe(admin: Admin, pipeline: string, setting: string): Promise<FoundSetting[]> {
  const specs = new Map(
    Object.entries<TopicSpec>(TOPICS).map(([name, spec]) => [topicName(pipeline, name as TopicName), spec]),
  )
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [...specs.keys()].map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: [setting],
    })),
  })
  return resources.map(({ resourceName: topic, configEntries }) => ({
    topic,
    spec: specs.get(topic)!,
    value: configEntries.find(({ configName }) => configName === setting)?.configValue,
  }))
}

function alterCommand({ settings }: KafkaConnection, topic: string, config: string): string {
  return `kafka-configs.sh --bootstrap-server ${settings.brokers[0]} --alter --entity-type topics --entity-name ${topic} --add-config ${config}`
}

function missing({ settings }: KafkaConnection, topic: string, spec: TopicSpec): FreshetError {
  const { numPartitions, replicationFactor, configEntries } = toKafkaJs(topic, spec, settings)
  const configs = configEntries.map(({ name, value }) => `--config ${name}=${value}`).join(' ')
  return new FreshetError(
    'TOPIC_MISSING',
    `${topic} does not exist (a pipeline of an older build lacks topics that are new; \`freshet bootstrap\` makes them): kafka-topics.sh --bootstrap-server ${settings.brokers[0]} --create --topic ${topic} --partitions ${numPartitions} --replication-factor ${replicationFactor} ${configs}`,
  )
}

const CLEANUP_POLICY = 'cleanup.policy'
const TIMESTAMP_TYPE = 'message.timestamp.type'

function toKafkaJs(topic: string, spec: TopicSpec, settings: Settings['kafka']) {
  const config: Record<string, string> = { [CLEANUP_POLICY]: spec.cleanupPolicy, ...spec.settings }
  if (settings.replicationFactor >= 3) config['min.insync.replicas'] = '2' // one broker may be away
  return {
    topic,
    numPartitions: spec.partitions === 'pipeline' ? settings.partitions : spec.partitions,
    replicationFactor: settings.replicationFactor,
    configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
  } satisfies ITopicConfig
}
