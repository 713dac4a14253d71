/** Gives the integration tests their servers; the workers inherit the environment that names them. */
import { startServers } from './start-servers.ts'

/** Vitest calls this once before all integration tests, and what it returns after them. */
export default async function setup(): Promise<() => Promise<void>> {
  const servers = await startServers('test', new AbortController().signal)
  return async () => servers[Symbol.asyncDispose]()
}
