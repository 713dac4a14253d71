import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Settings } from '@freshet/config/schema.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import { heartbeatOf, openWatchedPipeline, speak } from './watched-pipeline.kit.ts'

const PROGRAM = fileURLToPath(new URL('../cli/freshet.ts', import.meta.url))
const DEADLINE = { timeout: 120_000, interval: 50 }
const LAST_LINES = 30
const SPEAKS = 'this watchdog speaks for the pipeline'
const YIELDS = 'another watchdog may speak now'

/*
 * The real processes, Kafka and rate of Slack. Every moment of a death is tried in the simulation (watchdogs.test.ts); here
 * it is whether processes that are killed or frozen hand over at all.
 */
test('a watchdog that is killed is followed by another one; one that was frozen says nothing when it wakes up', {
  timeout: 400_000,
}, async () => {
  const pipeline = await openWatchedPipeline({ silent: 15 })
  const { settings, slack, write } = pipeline
  const dies = (service: string) =>
    write('heartbeats', [heartbeatOf(service, `${service}-1`, { atMs: systemClock.nowMs() - 60_000 })])
  // Not of the watchdogs themselves: that one was killed is told too.
  const told = () => slack.messages.map(({ text }) => text).filter((text) => /(scorer|gateway)-1 /.test(text))
  const first = startWatchdog(settings)
  const second = startWatchdog(settings)
  await dies('scorer')
  await vi.waitFor(
    () => expect(told()).toEqual([expect.stringMatching(/scorer-1 has been silent/)]),
    DEADLINE,
  )
  // Who is killed before it has noted that people know, leaves it to its heir to tell them again.
  await vi.waitFor(async () => expect((await pipeline.remembered())?.untold).toEqual([]), DEADLINE)

  const [speaker, heir] = first.speaks() ? [first, second] : [second, first]
  expect(heir.speaks()).toBe(false)
  speaker.child.kill('SIGKILL')
  await vi.waitFor(() => expect(heir.speaks()).toBe(true), DEADLINE)
  speak(settings, 'scorer', 'scorer-2')
  await vi.waitFor(
    () => expect(told().slice(1)).toEqual([expect.stringMatching(/resolved.*scorer-1/i)]),
    DEADLINE,
  )

  const third = startWatchdog(settings)
  await vi.waitFor(() => expect(third.hasStarted()).toBe(true), DEADLINE)
  heir.child.kill('SIGSTOP')
  await vi.waitFor(() => expect(third.speaks()).toBe(true), DEADLINE)
  await dies('gateway')
  await vi.waitFor(
    () => expect(told().slice(2)).toEqual([expect.stringMatching(/gateway-1 has been silent/)]),
    DEADLINE,
  )
  heir.child.kill('SIGCONT')
  await vi.waitFor(() => expect(heir.speaks()).toBe(false), DEADLINE)
  speak(settings, 'gateway', 'gateway-2')
  const all = () =>
    JSON.stringify({ told: slack.messages, said: [heir.lastWords(), third.lastWords()] }, null, 2)
  await vi.waitFor(
    () => expect(told().slice(3), all()).toEqual([expect.stringMatching(/resolved.*gateway-1/i)]),
    DEADLINE,
  )
  expect(told()).toHaveLength(4)
})

interface Watchdog {
  readonly child: ChildProcess
  /** As far as it knows. */
  speaks(): boolean
  hasStarted(): boolean
  /** The end of its log. */
  lastWords(): readonly string[]
}

function startWatchdog(settings: Settings): Watchdog {
  const file = join(mkdtempSync(join(tmpdir(), 'freshet-watchdog-')), 'freshet.yaml')
  const telemetry = { ...settings.telemetry, logLevel: 'info' }
  writeFileSync(file, JSON.stringify({ ...settings, telemetry }))
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('FRESHET_')))
  const child = spawn(process.execPath, [PROGRAM, '--config', file, 'run', 'watchdog'], {
    env: { ...env, FRESHET_HOME: '/nonexistent' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (piece) => {
    said += piece
  })
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const times = (line: string) => said.split(line).length - 1
  return {
    child,
    speaks: () => times(SPEAKS) > times(YIELDS),
    hasStarted: () => said.includes('watchdog starts'),
    lastWords: () => said.trimEnd().split('\n').slice(-LAST_LINES),
  }
}
