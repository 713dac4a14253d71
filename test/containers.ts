/** The servers of docker-compose.yml as containers, for tests on a machine that has an engine and the images. */
import { readFileSync } from 'node:fs'
import { PortPicker } from '@freshet/up/ports.ts'
import {
  GenericContainer,
  getContainerRuntimeClient,
  ImageName,
  type StartedTestContainer,
  Wait,
} from 'testcontainers'
import { parse } from 'yaml'

const SERVERS = ['kafka', 'elasticsearch', 'redis', 's3'] as const
const ACCESS_KEY = 'freshet'
const SECRET_KEY = 'freshet-secret'

/** undefined when the tests can run in containers. Images are not pulled: a test run is no place to wait for gigabytes. */
export async function whyNoContainers(): Promise<string | undefined> {
  try {
    const runtime = await getContainerRuntimeClient()
    for (const image of Object.values(images()))
      if (!(await runtime.image.exists(ImageName.fromString(image)))) return `the image ${image} is not here`
    return undefined
  } catch {
    return 'no Docker engine answers'
  }
}

/** @returns addresses as settings, and what stops them all. */
export async function startContainers(): Promise<{
  settings: Record<string, unknown>
  stop: () => Promise<void>
}> {
  const image = images()
  const kafkaPort = await new PortPicker().pick([])
  const [kafka, elasticsearch, redis, s3] = await Promise.all([
    startKafka(image.kafka, kafkaPort),
    new GenericContainer(image.elasticsearch)
      .withEnvironment({
        'discovery.type': 'single-node',
        'xpack.security.enabled': 'false',
        ES_JAVA_OPTS: '-Xms1g -Xmx1g',
      })
      .withExposedPorts(9200)
      .withWaitStrategy(Wait.forHttp('/_cluster/health', 9200))
      .start(),
    new GenericContainer(image.redis)
      .withExposedPorts(6379)
      .withWaitStrategy(Wait.forListeningPorts())
      .start(),
    new GenericContainer(image.s3)
      .withEnvironment({ ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY })
      .withCommand(['--port', ':7070', 'posix', '/tmp'])
      .withExposedPorts(7070)
      .withWaitStrategy(Wait.forListeningPorts())
      .start(),
  ])
  const address = (container: StartedTestContainer, port: number) =>
    `${container.getHost()}:${container.getMappedPort(port)}`
  return {
    settings: {
      kafka: { brokers: [`127.0.0.1:${kafkaPort}`] },
      elasticsearch: { url: `http://${address(elasticsearch, 9200)}` },
      redis: { url: `redis://${address(redis, 6379)}` },
      s3: { endpoint: `http://${address(s3, 7070)}`, accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY },
    },
    stop: async () => {
      await Promise.all([kafka, elasticsearch, redis, s3].map((container) => container.stop()))
    },
  }
}

/** A client is told the broker's advertised address, so the port must be the same inside and outside. */
function startKafka(image: string, port: number): Promise<StartedTestContainer> {
  return new GenericContainer(image)
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_LISTENERS: `PLAINTEXT://:${port},CONTROLLER://:19093`,
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:19093',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
    })
    .withExposedPorts({ container: port, host: port })
    .withWaitStrategy(Wait.forListeningPorts())
    .start()
}

/** The one place that pins versions is docker-compose.yml. */
function images(): Record<(typeof SERVERS)[number], string> {
  const file = new URL('../docker-compose.yml', import.meta.url)
  const { services } = parse(readFileSync(file, 'utf8')) as { services: Record<string, { image: string }> }
  return Object.fromEntries(SERVERS.map((name) => [name, services[name]!.image])) as Record<
    (typeof SERVERS)[number],
    string
  >
}
