/** Peers are fetched by their own package managers, the first time that they are measured. */
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { FreshetError } from '@freshet/errors/errors.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
/** Where their programs stand, a folder each. */
export const PEERS_SOURCES = join(ROOT, 'bench', 'peers')
/** Where they are built and installed: not among the sources. */
export const PEERS_FOLDER = join(ROOT, '.freshet', 'peers')

const FETCH_DEADLINE_MS = 10 * 60_000

/** @throws DOWNLOAD_FAILED, with the last that the command said */
export async function fetchInto(
  peer: string,
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<void> {
  mkdirSync(PEERS_FOLDER, { recursive: true })
  try {
    await promisify(execFile)(command, args, { ...options, timeout: FETCH_DEADLINE_MS })
  } catch (cause) {
    const { stderr = '', stdout = '', message } = cause as Error & { stderr?: string; stdout?: string }
    const said = (stderr.trim() || stdout.trim() || message).slice(-600)
    throw new FreshetError('DOWNLOAD_FAILED', `the peer ${peer} cannot be made ready: ${said}`, { cause })
  }
}
