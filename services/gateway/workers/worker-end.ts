import type { Worker } from 'node:cluster'

/**
 * How a worker has ended: its exit code, or the signal that killed it. One that the system did not start, as it starts
 * none where too many files are open, has an error and never an exit.
 */
export function endOf(
  worker: Pick<Worker, 'on' | 'once'> & { readonly process: { readonly pid?: number | undefined } },
) {
  return new Promise<string>((resolve) => {
    worker.once('exit', (code: number | null, killedBy: string | null) => resolve(`${killedBy ?? code}`))
    worker.on('error', (error) => {
      if (worker.process.pid === undefined) resolve(error.message)
    })
  })
}
