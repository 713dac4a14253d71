import { startBare } from '../bare-process.ts'
import { cpuMicrosOf } from '../cost.ts'
import type { Sample } from '../figure.ts'
import { type LoadOptions, load } from './closed-loop.ts'

const BARE_SERVER = new URL('./bare-server.ts', import.meta.url)
const WARM_UP_SECONDS = 2

/** A server under load, and the process that pays for it. */
export interface Measured extends LoadOptions {
  readonly pid: number
}

/**
 * Requests for each second of the server's own CPU time, all threads together: what one core does, whoever else uses
 * the machine. Only what is answered as asked counts: an answer from further down the ladder is cheaper.
 */
export async function costOfRequests({ pid, ...options }: Measured): Promise<Sample> {
  const before = cpuMicrosOf(pid)
  const { answers, good, seconds } = await load(options)
  const cpuMicros = cpuMicrosOf(pid) - before
  return {
    value: (good / cpuMicros) * 1e6,
    cpuMicrosPerRow: cpuMicros / answers,
    also: { requestsPerSecond: good / seconds, goodShare: good / answers },
  }
}

export async function warmUp(...servers: readonly Measured[]): Promise<void> {
  for (const server of servers) await load({ ...server, seconds: WARM_UP_SECONDS })
}

/** @param args those of bare-server.ts */
export async function startBareServer(
  ...args: readonly string[]
): Promise<{ readonly pid: number; readonly port: number } & AsyncDisposable> {
  const bare = await startBare<number>(BARE_SERVER, args)
  return { pid: bare.pid, port: bare.told, [Symbol.asyncDispose]: () => bare[Symbol.asyncDispose]() }
}
