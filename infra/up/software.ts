import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { lockFile } from './lock-file.ts'
import { reachableFolder, type User } from './unprivileged-user.ts'

/** One at a time on a machine: Maven's local repository takes no two writers of the same file. */
const LOCK_MS = 30 * 60_000

export interface Software {
  /** Folder with the files, e.g. `<cache>/kafka-4.3.1`. Made once, shared by all homes, never written again. */
  get(
    name: string,
    fetch: (into: string) => Promise<void>,
    options: { report: (line: string) => void; signal: AbortSignal },
  ): Promise<string>
}

/** Servers as unpacked from Maven, below XDG_CACHE_HOME or ~/.cache. */
export function openSoftware(env: NodeJS.ProcessEnv, user: User | undefined): Software {
  const cache = reachableFolder(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), '/var/cache', user)
  const folder = join(cache, 'freshet')
  return {
    async get(name, fetch, { report, signal }) {
      const path = join(folder, name)
      if (existsSync(path)) return path
      using _lock = await lockFile(join(folder, 'lock'), {
        deadlineMs: LOCK_MS,
        signal,
        onWait: (pid) => {
          if (pid !== process.pid) report(`waits for process ${pid}, which downloads`)
        },
      })
      if (!existsSync(path)) await make(folder, path, fetch)
      return path
    },
  }
}

/** Filled aside and renamed, so that a folder that exists is whole. */
async function make(folder: string, path: string, fetch: (into: string) => Promise<void>): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const aside = mkdtempSync(join(folder, 'partial-'))
  try {
    const into = join(aside, 'files')
    mkdirSync(into)
    await fetch(into)
    renameSync(into, path)
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}
