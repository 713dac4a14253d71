/** One Elasticsearch with security, for tests of what a role may do. */
import { prepareNode } from '@freshet/up/elasticsearch-node.ts'
import type { Server } from '@freshet/up/server.ts'
import { chooseSoftware } from './cluster-node.ts'
import { NativeServer } from './native-server.ts'

export interface Role {
  readonly cluster: readonly string[]
  readonly indices: readonly { readonly names: readonly string[]; readonly privileges: readonly string[] }[]
}

const VERSION = '9.5.3'

/** Each role has a user of its name; `admin` may do everything. */
export class SecuredNode implements AsyncDisposable {
  readonly #server: NativeServer

  /** @throws TOOL_MISSING, DOWNLOAD_FAILED, SERVICE_START_FAILED */
  static async start(roles: Readonly<Record<string, Role>>): Promise<SecuredNode> {
    return new SecuredNode(await NativeServer.start(describeServer(roles)))
  }

  private constructor(server: NativeServer) {
    this.#server = server
  }

  urlOf(user: string): string {
    return urlOf(this.#server.port!, user)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }
}

const PASSWORD = 'not-a-secret'

function urlOf(port: number, user: string): string {
  return `http://${user}:${PASSWORD}@127.0.0.1:${port}`
}

function describeServer(roles: Readonly<Record<string, Role>>): Server {
  return {
    name: 'elasticsearch',
    ports: { client: 0, inner: 0 },
    portVariable: '',
    async answers(port, signal) {
      const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`
      const url = `http://127.0.0.1:${port}/_cluster/health?timeout=1s`
      return (await fetch(url, { signal, headers: { authorization } })).ok
    },
    async prepare(site) {
      return prepareNode(site, {
        ...(await chooseSoftware(site, VERSION)),
        javaOptions: ['-Xms512m', '-Xmx512m', '-XX:TieredStopAtLevel=1'],
        settings: ['cluster.name: secured', 'node.name: secured', 'discovery.type: single-node'],
        realm: realmOf(roles),
      })
    },
  }
}

/** A role begins on a line of its own, and JSON is YAML; a password that is no hash is compared as it is. */
function realmOf(roles: Readonly<Record<string, Role>>): Record<string, string> {
  const names = Object.keys(roles)
  return {
    'roles.yml': Object.entries(roles)
      .map(([name, role]) => `${name}: ${JSON.stringify(role)}\n`)
      .join(''),
    users: ['admin', ...names].map((name) => `${name}:${PASSWORD}\n`).join(''),
    users_roles: ['superuser:admin\n', ...names.map((name) => `${name}:${name}\n`)].join(''),
  }
}
