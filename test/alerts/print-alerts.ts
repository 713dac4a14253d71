/** `npm run faults:alerts`: breaks a running pipeline in every way that we know, and prints what people were told. */
import { availableParallelism, cpus, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { startServers } from '../start-servers.ts'
import { ROUNDS } from './faults.ts'
import { type FaultResult, isPromised, runRound } from './run-faults.ts'
import { AlertWorld } from './world.ts'

const HEALTHY_MS = 60_000

await using _servers = await startServers('bench', new AbortController().signal)
await using world = await AlertWorld.open()
print(
  `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model}), load ${loadavg()[0]!.toFixed(1)}\n`,
)
print('| what breaks | rule | what people read | due | told | over |')
print('| --- | --- | --- | --- | --- | --- |')
const before = world.told.length
await sleep(HEALTHY_MS)
const toldInHealth = world.told.slice(before)
print(`| nothing, for ${HEALTHY_MS / 1_000} s under load | | ${namesOf(toldInHealth)} | | | |`)
if (toldInHealth.length > 0) process.exitCode = 1
for (const faults of ROUNDS) {
  const { results, unexpected } = await runRound(world, faults)
  for (const result of results) printRow(result)
  if (unexpected.length > 0) print(`  not expected: ${namesOf(unexpected)}`)
  if (unexpected.length > 0 || !results.every(isPromised)) process.exitCode = 1
}

function printRow({ fault, alert, dueSeconds, toldSeconds, resolvedSeconds, timesTold }: FaultResult): void {
  const often = timesTold === 2 ? '' : ` (told of ${timesTold} times)`
  print(
    `| ${fault.title} | ${fault.rule} | ${alert?.title ?? 'nothing'}${often} | ${inSeconds(dueSeconds)} | ${inSeconds(toldSeconds)} | ${inSeconds(resolvedSeconds)} |`,
  )
}

function inSeconds(value: number | undefined): string {
  return value === undefined ? 'never' : `${value.toFixed(1)} s`
}

function namesOf(told: readonly { change: string; title: string }[]): string {
  return told.length === 0 ? 'nothing' : told.map(({ change, title }) => `${change}: ${title}`).join('; ')
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
