/** What a watchdog sees, recorded and judged again. */
import { readFileSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { loadRules } from '@freshet/config/load-rules.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { AlertMessage } from '@freshet/records/alert-state.ts'
import { type Facts, factsRecord } from '@freshet/records/facts.ts'
import { type Clock, systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { replayHistory } from '@freshet/watchdog/alerts/replay-history.ts'
import { timingOf } from '@freshet/watchdog/alerts/timing.ts'
import { openLook } from '@freshet/watchdog/look/open-look.ts'
import { FactWindow } from '@freshet/watchdog/rules/fact-window.ts'
import { judge } from '@freshet/watchdog/rules/judge.ts'

/** @throws RULES_INVALID, RECORD_MALFORMED naming the line, USAGE for a history that is not there or empty */
export function testRules(
  rulesFile: string,
  historyFile: string,
  { watchdog }: Pick<Settings, 'watchdog'>,
): { readonly messages: readonly AlertMessage[]; readonly looks: number } {
  const rules = loadRules(rulesFile)
  const history = readHistory(historyFile)
  if (history.length === 0)
    throw new FreshetError(
      'USAGE',
      `--history: ${historyFile} holds no look: \`freshet alerts record\` writes them`,
    )
  const window = new FactWindow()
  const messages = replayHistory(history, {
    judge: (facts) => judge(facts, window.push(facts), rules),
    timing: timingOf(watchdog),
    repeatMs: watchdog.repeatHours * 3_600_000,
  })
  return { messages: [...messages], looks: history.length }
}

/** Oldest first, as they were seen. */
function readHistory(path: string): readonly Facts[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new FreshetError('USAGE', `--history: cannot read ${path}: ${(cause as Error).message}`, { cause })
  }
  return text.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return []
    try {
      return factsRecord.decode(line)
    } catch (cause) {
      const { code, message } = toFreshetError(cause)
      throw new FreshetError(code, `${path}, line ${at + 1}: ${message}`, { cause })
    }
  })
}

export interface RecordOptions {
  readonly forMs: number
  /** Where the lines go. */
  readonly out: Writable
}

/** Looks as a watchdog does, and writes what it sees, until the time is over, nobody reads it, or `signal` aborts. */
export async function recordHistory(
  settings: Settings,
  { forMs, out }: RecordOptions,
  signal: AbortSignal,
): Promise<void> {
  const clock = systemClock
  const telemetry = { log: quietLog, metrics: new Metrics() }
  await using look = openLook({ settings, instance: 'freshet-record', telemetry }, clock)
  const intervalMs = settings.watchdog.intervalSeconds * 1000
  await recordLooks({ look, clock, intervalMs, forMs, out }, signal)
}

export interface LookRecorder extends RecordOptions {
  readonly look: Pick<ReturnType<typeof openLook>, 'run' | 'look'>
  readonly clock: Clock
  readonly intervalMs: number
}

/** @throws what ends the look, or keeps lines from being written; a reader that has enough is no error */
export async function recordLooks(
  { look, clock, intervalMs, forMs, out }: LookRecorder,
  signal: AbortSignal,
): Promise<void> {
  const ended = new AbortController()
  const until = AbortSignal.any([signal, ended.signal])
  let unwritten: NodeJS.ErrnoException | undefined
  const failed = (error: NodeJS.ErrnoException) => {
    unwritten ??= error
    ended.abort()
  }
  out.on('error', failed)
  const watching = look.run(until)
  watching.catch(() => ended.abort()) // told at the end
  const endMs = clock.nowMs() + forMs
  try {
    while (!until.aborted && clock.nowMs() < endMs) {
      await clock.sleep(Math.min(intervalMs, endMs - clock.nowMs()), until)
      if (until.aborted) break
      const facts = await look.look(until)
      if (!until.aborted) out.write(`${factsRecord.encode(facts)}\n`)
    }
  } finally {
    ended.abort()
    await watching
  }
  await new Promise<void>((written) => {
    out.write('', (error) => {
      if (error) failed(error)
      written()
    })
  })
  if (unwritten !== undefined && unwritten.code !== 'EPIPE') throw unwritten
}
