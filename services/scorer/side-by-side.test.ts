import { FreshetError } from '@freshet/errors/errors.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { describe, expect, test } from 'vitest'
import { runSideBySide, type SideBySideOptions, type Worker } from './side-by-side.ts'

const away = () => new FreshetError('REDIS_UNREACHABLE', 'away')

/** Works until it is stopped. */
const untilStopped: Worker = (signal) =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve())
  })

function run(
  workers: Record<string, Worker>,
  signal = new AbortController().signal,
  more: Partial<SideBySideOptions> = {},
): Promise<void> {
  return runSideBySide(new Map(Object.entries(workers)), signal, {
    log: quietLog,
    clock: handClock(),
    report: new ServiceState(),
    ...more,
  })
}

describe('workers side by side', () => {
  test('all end when they are told to', async () => {
    const stop = new AbortController()
    const running = run({ infer: untilStopped, cache: untilStopped }, stop.signal)
    stop.abort()
    await expect(running).resolves.toBeUndefined()
  })

  test('one that fails for a while is started again, and the others do not notice', async () => {
    const stop = new AbortController()
    let starts = 0
    const cache: Worker = async () => {
      if (++starts < 3) throw away()
      stop.abort()
    }
    let inferStarts = 0
    const infer: Worker = (signal) => {
      inferStarts++
      return untilStopped(signal)
    }
    await run({ infer, cache }, stop.signal)
    expect([starts, inferStarts]).toEqual([3, 1])
  })

  test('one that cannot go on ends the service, after the others have finished', async () => {
    const order: string[] = []
    const infer: Worker = async (signal) => {
      await untilStopped(signal)
      order.push('infer finished')
    }
    const cache: Worker = async () => {
      throw new FreshetError('REDIS_UNAUTHORIZED', 'wrong password')
    }
    await expect(run({ infer, cache }).finally(() => order.push('service ended'))).rejects.toMatchObject({
      code: 'REDIS_UNAUTHORIZED',
    })
    expect(order).toEqual(['infer finished', 'service ended'])
  })

  test('one that the others do not need is told as failing and tried again, while they work on', async () => {
    const stop = new AbortController()
    const told: string[] = []
    let starts = 0
    const snapshot: Worker = async () => {
      if (++starts < 3) throw new FreshetError('RECORD_MALFORMED', 'a broken manifest')
      stop.abort()
    }
    let inferStarts = 0
    const infer: Worker = (signal) => {
      inferStarts++
      return untilStopped(signal)
    }
    await run({ infer, snapshot }, stop.signal, {
      dispensable: new Set(['snapshot']),
      report: {
        failing: (worker) => told.push(`${worker} failing`),
        running: (worker) => told.push(`${worker} running`),
      },
    })
    expect(inferStarts).toBe(1)
    const again = ['snapshot failing', 'snapshot running']
    expect(told).toEqual(['infer running', 'snapshot running', ...again, ...again])
  })

  test('a mistake of ours in one that the others do not need ends nobody either', async () => {
    const stop = new AbortController()
    let starts = 0
    const shadow: Worker = async () => {
      if (++starts < 2) throw new TypeError('x is not a function')
      stop.abort()
    }
    await run({ infer: untilStopped, shadow }, stop.signal, { dispensable: new Set(['shadow']) })
    expect(starts).toBe(2)
  })

  test('an instance is failing while its snapshot worker is, although infer is started again and runs', async () => {
    const stop = new AbortController()
    const report = new ServiceState()
    const broken = Promise.withResolvers<void>()
    const clock = {
      ...handClock(),
      async sleep(_ms: number, signal?: AbortSignal) {
        if (report.snapshot().lastError === 'REDIS_UNREACHABLE: away') return // infer, which waits for a moment
        broken.resolve() // snapshot, which waits for long
        await untilStopped(signal!)
      },
    }
    const snapshot: Worker = async () => {
      throw new FreshetError('RECORD_MALFORMED', 'a broken manifest')
    }
    const atStarts: unknown[] = []
    const infer: Worker = async () => {
      await broken.promise
      const { status, lastError } = report.snapshot()
      if (atStarts.push([status, lastError]) === 1) throw away()
      stop.abort()
    }
    const running = run({ infer, snapshot }, stop.signal, {
      ...{ dispensable: new Set(['snapshot']), report, clock },
    })
    await expect(running).rejects.toMatchObject({ code: 'RECORD_MALFORMED' })
    const failing = ['failing', 'RECORD_MALFORMED: a broken manifest']
    expect(atStarts).toEqual([failing, failing])
  })

  test('a server that is away does not spoil an orderly stop', async () => {
    const stop = new AbortController()
    const cache: Worker = async () => {
      stop.abort()
      throw away()
    }
    await expect(run({ cache }, stop.signal)).resolves.toBeUndefined()
  })

  test.each([
    ['what the stop cut off', new FreshetError('DEADLINE', 'the caller stopped'), 'debug'],
    ['a server that is away', away(), 'warn'],
  ])('%s at the stop is told as %3$s', async (_, error, level) => {
    const stop = new AbortController()
    const told: string[] = []
    const log = { ...quietLog, debug: () => told.push('debug'), warn: () => told.push('warn') }
    const rescore: Worker = async () => {
      stop.abort()
      throw error
    }
    await run({ rescore }, stop.signal, { log })
    expect(told).toEqual([level])
  })

  test('a mistake of ours is no orderly end', async () => {
    const stop = new AbortController()
    const cache: Worker = async () => {
      stop.abort()
      throw new TypeError('x is not a function')
    }
    await expect(run({ cache }, stop.signal)).rejects.toMatchObject({ code: 'BUG' })
  })
})
