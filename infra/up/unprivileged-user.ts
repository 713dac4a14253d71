import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Whom the servers run as when we are root: Elasticsearch refuses root, and none of the others needs it. */
export interface User {
  readonly uid: number
  readonly gid: number
}

/** undefined when we are not root: then the servers run as whoever we are. */
export function unprivilegedUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  return { uid: askId('-u'), gid: askId('-g') }
}

function askId(option: '-u' | '-g'): number {
  return Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' }))
}

/** `wanted` when the user can get there, else `otherwise`: a folder below /root, for one, is closed to all others. */
export function reachableFolder(wanted: string, otherwise: string, user: User | undefined): string {
  return user === undefined || isReachable(wanted, user) ? wanted : otherwise
}

/** May the user pass through every folder on the way? What does not exist yet will be made, and made open. */
export function isReachable(path: string, user: User): boolean {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const stats = statSync(folder, { throwIfNoEntry: false })
    if (stats && !mayPass(stats, user)) return false
    if (folder === dirname(folder)) return true
  }
}

/** The x bit of the class that the user falls into: owner, else group, else others. */
export function mayPass(stats: { mode: number; uid: number; gid: number }, { uid, gid }: User): boolean {
  const shift = stats.uid === uid ? 6 : stats.gid === gid ? 3 : 0
  return ((stats.mode >> shift) & 1) === 1
}

/** Makes the folder, and the user its owner. */
export function makeFolderFor(user: User | undefined, path: string): void {
  mkdirSync(path, { recursive: true })
  if (user) chownSync(path, user.uid, user.gid)
}
