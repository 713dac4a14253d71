/** One Kafka that knows users and keeps to rules, for tests of what each user may do. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectKafka, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { kafka } from '@freshet/up/kafka.ts'
import type { Server, Site } from '@freshet/up/server.ts'
import kafkajs from 'kafkajs'
import { NativeServer } from '../cluster/native-server.ts'
import type { KafkaRule } from './kafka-rules.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs
const PASSWORD = 'not-a-secret'
const ADMIN = 'admin'

export class SecuredKafka implements AsyncDisposable {
  readonly #server: NativeServer

  /** @param users beside `admin`, who may do everything. @throws TOOL_MISSING, DOWNLOAD_FAILED, SERVICE_START_FAILED */
  static async start(users: readonly string[]): Promise<SecuredKafka> {
    return new SecuredKafka(await NativeServer.start(describeServer([ADMIN, ...users])))
  }

  private constructor(server: NativeServer) {
    this.#server = server
  }

  /** Settings of a client, as variables. */
  envOf(user: string = ADMIN): Record<string, string> {
    return envOf(this.#server.port!, user)
  }

  /** Services name their clients after themselves, commands of an operator after Freshet. */
  connectionOf(user: string = ADMIN) {
    return connectionOf(this.envOf(user), user.replace(/^freshet-(?!operator)/, ''))
  }

  async allow(rules: readonly KafkaRule[], signal: AbortSignal): Promise<void> {
    const acl = rules.flatMap(({ user, kind, name, isPrefix, operations }) =>
      operations.map((operation) => ({
        resourceType: kind === 'topic' ? AclResourceTypes.TOPIC : AclResourceTypes.GROUP,
        resourceName: name,
        resourcePatternType: isPrefix ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
        principal: `User:freshet-${user}`,
        host: '*',
        operation: OPERATIONS[operation]!,
        permissionType: AclPermissionTypes.ALLOW,
      })),
    )
    await withAdmin(this.connectionOf(), { doing: 'setting rules', signal }, (admin) =>
      admin.createAcls({ acl }),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }
}

const OPERATIONS: Readonly<Record<string, kafkajs.AclOperationTypes>> = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Create: AclOperationTypes.CREATE,
  Describe: AclOperationTypes.DESCRIBE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
}

function envOf(port: number, user: string): Record<string, string> {
  return {
    FRESHET_KAFKA_BROKERS: `127.0.0.1:${port}`,
    FRESHET_KAFKA_USER: user,
    FRESHET_KAFKA_PASSWORD: PASSWORD,
    FRESHET_KAFKA_SASL_MECHANISM: 'plain',
  }
}

function connectionOf(env: Record<string, string>, clientId: string) {
  return connectKafka(loadSettings({ env }).kafka, { clientId: `${clientId}-test`, log: quietLog })
}

function describeServer(users: readonly string[]): Server {
  return {
    ...kafka,
    ports: { client: 0, inner: 0 },
    async answers(port, signal) {
      const connection = connectionOf(envOf(port, ADMIN), 'admin')
      return await withAdmin(connection, { doing: 'asking', signal }, async (admin) => {
        await admin.listTopics()
        return true
      })
    },
    async prepare(site) {
      const launch = await kafka.prepare(site)
      appendFileSync(join(site.dataDir, 'server.properties'), securityOf(site, users))
      return launch
    },
  }
}

/** What stands last in the file counts. */
function securityOf({ ports: { client, inner } }: Site, users: readonly string[]): string {
  const logins = users.map((user) => `user_${user}="${PASSWORD}"`).join(' ')
  const module = 'org.apache.kafka.common.security.plain.PlainLoginModule'
  return `
listeners=SASL_PLAINTEXT://127.0.0.1:${client},CONTROLLER://127.0.0.1:${inner}
advertised.listeners=SASL_PLAINTEXT://127.0.0.1:${client}
listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=${module} required username="${ADMIN}" password="${PASSWORD}" ${logins};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:${ADMIN};User:ANONYMOUS
`
}
