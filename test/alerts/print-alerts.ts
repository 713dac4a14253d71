/** `npm run faults:alerts`: breaks a running pipeline in every way that we know, and prints what people were told. */
import { availableParallelism, cpus, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { startServers } from '../start-servers.ts'
import { ROUNDS } from './faults.ts'
import { HEADER, namesOf, rowsOf } from './result-rows.ts'
import { isPromised, runRound } from './run-faults.ts'
import { AlertWorld } from './world.ts'

const HEALTHY_MS = 60_000

await using _servers = await startServers('bench', new AbortController().signal)
await using world = await AlertWorld.open()
print(
  `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model}), load ${loadavg()[0]!.toFixed(1)}\n`,
  ...HEADER,
)
await sleep(HEALTHY_MS)
print(`| nothing, for ${HEALTHY_MS / 1_000} s under load | | ${namesOf(world.told)} | | | |`)
if (world.told.length > 0) process.exitCode = 1
for (const faults of ROUNDS) {
  const round = await runRound(world, faults)
  print(...rowsOf(round))
  if (round.unexpected.length > 0 || !round.results.every(isPromised)) process.exitCode = 1
}

function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}
