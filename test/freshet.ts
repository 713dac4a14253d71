import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PROGRAM } from './stack.ts'

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Running {
  /** Asks it to end, and gives up on it. */
  readonly signal?: AbortSignal
  /** Hears what it says on its standard error, on the way. */
  readonly onError?: (text: string) => void
}

/**
 * Runs a command to its end.
 * @param env over the environment of the test
 */
export async function freshet(
  args: readonly string[],
  env: Readonly<NodeJS.ProcessEnv> = {},
  { signal, onError }: Running = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, FRESHET_HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal }),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text) => (stdout += text))
  child.stderr.on('data', (text) => {
    stderr += text
    onError?.(String(text).trimEnd())
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}
