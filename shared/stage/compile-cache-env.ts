import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'

/** For threads and processes of one's own: they do not take over the compile cache that a process has switched on by itself. */
export function compileCacheEnv(): { readonly NODE_COMPILE_CACHE?: string } {
  const versions = getCompileCacheDir()
  return versions === undefined ? {} : { NODE_COMPILE_CACHE: dirname(versions) }
}
