import cluster from 'node:cluster'
import { fileURLToPath } from 'node:url'
import type { ServiceContext } from '@freshet/service/service.ts'
import { GatewayWorker } from './gateway-worker.ts'
import { Switchboard } from './switchboard.ts'

const PROGRAM = fileURLToPath(new URL('./worker.ts', import.meta.url))

/**
 * The gateway in `count` processes that share its port. This one accepts connections and hands them out in turn, adds up
 * what the workers count, starts those anew that end or stand still, and answers nothing itself: a worker that crashes or
 * stands still takes its own callers along, not the others'. Each holds a snapshot, a model and connections of its own.
 * @throws what keeps the very first worker from beginning: PORT_TAKEN, CONFIG_INVALID
 */
export async function runWorkers(context: ServiceContext, count: number): Promise<void> {
  const { signal } = context
  cluster.setupPrimary({ exec: PROGRAM, args: [], serialization: 'advanced' })
  const hopeless = Promise.withResolvers<never>()
  const stop = new AbortController()
  const passOn = () => stop.abort()
  signal.addEventListener('abort', passOn, { once: true })
  if (signal.aborted) passOn()
  const workers = Array.from({ length: count }, (_, index) => new GatewayWorker(index + 1, count, context))
  const switchboard = new Switchboard(workers)
  using _orders = context.telemetry.traced.orders.onPut((order) => {
    for (const worker of workers) worker.say({ kind: 'trace', orders: [order] })
  })
  const running = Promise.all(
    workers.map((worker) => worker.keepRunning(stop.signal, switchboard, hopeless.reject)),
  )
  try {
    await Promise.race([running, hopeless.promise])
  } finally {
    signal.removeEventListener('abort', passOn)
    stop.abort()
    await running
  }
}
