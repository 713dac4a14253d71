import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface DockerResult {
  readonly ok: boolean
  readonly output: string
  /** In words, when not ok. */
  readonly why: string
}

const WHY_LINES = 8

/**
 * Runs `docker …` and never waits for a dead engine or registry: it ends after `deadlineMs`, or after `silenceMs`
 * without a word.
 */
export async function runDocker(
  args: readonly string[],
  options: {
    deadlineMs: number
    silenceMs?: number
    env?: Readonly<Record<string, string>>
    signal?: AbortSignal | undefined
    onLine?: (line: string) => void
  },
): Promise<DockerResult> {
  const silent = new AbortController()
  const late = AbortSignal.timeout(options.deadlineMs)
  const signals = [silent.signal, late, ...(options.signal ? [options.signal] : [])]
  const child = spawn('docker', args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any(signals),
    killSignal: 'SIGKILL',
  })
  const silence = setTimeout(() => silent.abort(), options.silenceMs ?? options.deadlineMs)
  const output: string[] = []
  const errors: string[] = []
  createInterface(child.stdout).on('line', (line) => take(line, output))
  createInterface(child.stderr).on('line', (line) => take(line, errors))
  function take(line: string, into: string[]): void {
    silence.refresh()
    into.push(line)
    options.onLine?.(line)
  }
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return {
      ok: code === 0,
      output: output.join('\n'),
      why: errors.slice(-WHY_LINES).join(' ').trim() || `exit ${code}`,
    }
  } catch (error) {
    const why = silent.signal.aborted || late.aborted ? 'does not answer' : (error as Error).message
    return { ok: false, output: '', why }
  } finally {
    clearTimeout(silence)
  }
}
