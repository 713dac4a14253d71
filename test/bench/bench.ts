/** `npm run bench [figure...]`: starts what it needs, measures, prints, and with --record writes the page. */
import { describeError, isFreshetError } from '@freshet/errors/errors.ts'
import { commit, describeHost, loadNow } from '../host.ts'
import { startServers, type TestServers } from '../start-servers.ts'
import type { Figure } from './figure.ts'
import { ENTRIES, type Entry } from './figures.ts'
import { measure, type Result, type Round } from './measure.ts'
import { expectedSeconds, HELP, type Plan, readPlan, roundsOf } from './plan.ts'
import { describeMachine, resultLine, resultText, roundText } from './print.ts'
import { askMachine, type Machine } from './record/machine.ts'
import { RECORDS_FILE, writePage } from './record/page.ts'
import { type Measured, readRecords, withResult, writeRecords } from './record/records.ts'
import { targetText } from './target.ts'

type Measuring = Extract<Plan, { readonly kind: 'measure' }>

/** How a figure ended. */
interface Outcome {
  readonly name: string
  readonly kind: 'measured' | 'skipped' | 'FAILED'
  readonly why?: string
}

/** Above it, other work is told as the reason to doubt: half of the cores. */
const QUIET_LOAD = describeHost().cores / 2

/** One figure after the other, whatever becomes of it. @throws only when no servers can be had, or when stopped */
async function run(plan: Measuring, signal: AbortSignal): Promise<readonly Outcome[]> {
  const load = loadNow()
  say(`${describeMachine()}\n${plan.entries.length} figures, ${timeText(totalSeconds(plan.entries))}`)
  if (load > QUIET_LOAD) say(`NOT QUIET: a load of ${load} before anything was started`)
  await using servers = await startServers('bench', signal)
  const machine = await askMachine(servers)
  const outcomes: Outcome[] = []
  for (const [index, entry] of plan.entries.entries()) {
    signal.throwIfAborted()
    const left = totalSeconds(plan.entries.slice(index))
    say(`\n[${index + 1}/${plan.entries.length}, ${timeText(left)} left] ${entry.figure.name}`)
    outcomes.push(await outcomeOf(entry, plan, { servers, machine, signal }))
  }
  return outcomes
}

interface World {
  readonly servers: TestServers
  readonly machine: Machine
  readonly signal: AbortSignal
}

async function outcomeOf(entry: Entry, plan: Measuring, world: World): Promise<Outcome> {
  const { name } = entry.figure
  try {
    const { result, measured } = await measureOne(entry, plan.rounds, world)
    process.stdout.write(plan.json ? `${resultLine(result)}\n` : `${resultText(entry.figure, result)}\n`)
    if (plan.record) keep(result, { ...measured, machine: world.machine })
    return { name, kind: 'measured' }
  } catch (error) {
    if (world.signal.aborted) throw error
    const why = describeError(error)
    const isSkipped = entry.stage === 'peers' && isMissing(error)
    say(`${name}: ${isSkipped ? 'SKIPPED' : 'FAILED'}, ${why}`)
    return { name, kind: isSkipped ? 'skipped' : 'FAILED', why: why.split('\n')[0]! }
  }
}

async function measureOne(
  entry: Entry,
  rounds: number | undefined,
  { servers, signal }: World,
): Promise<{ readonly result: Result; readonly measured: Measured }> {
  const { figure } = entry
  const conditions = { date: new Date().toISOString().slice(0, 16).replace('T', ' '), commit: commit() }
  const begin = loadNow()
  const startMs = performance.now()
  await using bench = await figure.open(servers)
  const each: Record<string, number[]> = {}
  const onRound = (round: number, samples: Round) => {
    say(roundText(figure, round, samples))
    const named = { ours: samples.ours, ...samples.baselines }
    for (const [who, { value }] of Object.entries(named))
      (each[who] ??= []).push(Number(value.toPrecision(4)))
  }
  const result = await measure(figure, bench, { rounds: rounds ?? roundsOf(entry), onRound, signal })
  const tookSeconds = Math.round((performance.now() - startMs) / 1_000)
  return { result, measured: { ...conditions, load: { begin, end: loadNow() }, tookSeconds, each } }
}

/** At once, so that a run that is stopped has kept what it had. */
function keep(result: Result, measured: Measured & { readonly machine: Machine }): void {
  writeRecords(RECORDS_FILE, withResult(readRecords(RECORDS_FILE), result, measured))
  writePage()
}

/** A peer that cannot be had here is no fault of ours. */
function isMissing(error: unknown): boolean {
  return isFreshetError(error, 'DOWNLOAD_FAILED') || isFreshetError(error, 'TOOL_MISSING')
}

function totalSeconds(entries: readonly Entry[]): number {
  const records = readRecords(RECORDS_FILE)
  return entries.reduce((sum, entry) => sum + expectedSeconds(entry, records), 0)
}

function listText(): string {
  const records = readRecords(RECORDS_FILE)
  const lines = ENTRIES.map((entry) => {
    const { stage, figure } = entry
    const time = timeText(expectedSeconds(entry, records))
    return `${stage.padEnd(11)}${figure.name.padEnd(25)}${time.padEnd(14)}${targetsText(figure)}\n${''.padEnd(11)}${figure.title}`
  })
  return `${lines.join('\n')}\n\nall: ${timeText(totalSeconds(ENTRIES))}\n`
}

function targetsText({ targets, unit }: Figure): string {
  return targets.map((target) => targetText(target, unit)).join(', ')
}

function timeText(seconds: number): string {
  return seconds < 100 ? `about ${seconds} s` : `about ${Math.round(seconds / 60)} min`
}

/** Results go to stdout, and everything about them here. */
function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** @returns whether something failed */
function summarize(outcomes: readonly Outcome[]): boolean {
  const others = outcomes.filter(({ kind }) => kind !== 'measured')
  say(`\n${outcomes.length - others.length} of ${outcomes.length} figures measured`)
  for (const { name, kind, why } of others) say(`${kind} ${name}: ${why}`)
  return others.some(({ kind }) => kind === 'FAILED')
}

async function obey(plan: Plan, signal: AbortSignal): Promise<void> {
  if (plan.kind === 'measure') {
    if (summarize(await run(plan, signal))) process.exitCode = 1
  } else if (plan.kind === 'page') writePage()
  else process.stdout.write(plan.kind === 'help' ? HELP : listText())
}

/** A measurement in hand is finished first; a second signal ends the process at once. */
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())

try {
  await obey(readPlan(process.argv.slice(2)), stop.signal)
} catch (error) {
  const isUsage = isFreshetError(error, 'USAGE')
  if (stop.signal.aborted) say('stopped before the end')
  else say(isUsage ? `${error.message}\n\n${HELP}` : describeError(error))
  process.exitCode = isUsage ? 2 : 1
}
