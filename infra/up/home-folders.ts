import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { reachableFolder, type User } from './unprivileged-user.ts'

/** Data of the servers: below the home, or where root keeps it when the servers' user cannot reach the home. */
export function dataFolder(home: string, user: User | undefined): string {
  return reachableFolder(join(resolve(home), 'data'), systemDataFolder(home), user)
}

/** Only root writes below /var/lib, so nobody can have put a trap there, as in a temporary folder. */
export function systemDataFolder(home: string): string {
  return join('/var/lib/freshet', homeHash(home))
}

/** Tells homes apart where a name must be short: Compose projects, folders. */
export function homeHash(home: string): string {
  return createHash('sha256').update(resolve(home)).digest('hex').slice(0, 12)
}
