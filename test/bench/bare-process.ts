import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A program of a baseline, in a process of its own as ours is. */
export interface BareProcess<Told> extends AsyncDisposable {
  readonly pid: number
  /** What it said once it was ready. */
  readonly told: Told
}

/** Resolves once it has said that it is ready. @throws when it ends before. */
export async function startBare<Told>(program: URL, args: readonly string[]): Promise<BareProcess<Told>> {
  const child: ChildProcess = fork(fileURLToPath(program), args)
  const ended = new AbortController()
  child.once('exit', (code) => ended.abort(new Error(`${program.pathname} ended with ${code}`)))
  const [told] = (await once(child, 'message', { signal: ended.signal })) as [Told]
  return {
    pid: child.pid!,
    told,
    async [Symbol.asyncDispose]() {
      if (ended.signal.aborted) return
      child.kill()
      await once(child, 'exit')
    },
  }
}
