/** `npm run faults [-- --only redis-frozen,burst] [--seconds 12] [--rate 1000] [--json]`: the faults, and what callers saw. */
import { availableParallelism, cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { startServers } from '../start-servers.ts'
import { FAULTS } from './faults.ts'
import { type FaultResult, runFault } from './run-fault.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string', default: '12' },
    rate: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
  },
})
const wanted = values.only?.split(',')
await using _servers = await startServers('bench', new AbortController().signal)
const isFirst = { value: true }
for (const fault of FAULTS.filter(({ name }) => wanted?.includes(name) ?? true)) {
  const result = await runFault(fault, {
    seconds: Number(values.seconds),
    requestsPerSecond: Number(values.rate),
  })
  if (values.json) print(JSON.stringify(result))
  else printRow(result)
  process.exitCode ||= isGood(result) ? 0 : 1
}

function isGood({
  wrong,
  inexcusable,
  refusedWithoutCause,
  recoverySeconds,
  exitCode,
}: FaultResult): boolean {
  const isKept = inexcusable.length + refusedWithoutCause === 0
  return wrong.length === 0 && isKept && recoverySeconds !== null && exitCode === 0
}

function printRow(result: FaultResult): void {
  if (isFirst.value) {
    print(
      `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model}), load ${loadavg()[0]!.toFixed(1)}, ${values.rate} requests/s for ${values.seconds} s a fault\n`,
    )
    print(
      '| fault | requests: all / while broken | refused (503) | ≤ 100 ms | late: machine / ours | p50 / p99 / p99.9 / max ms | answers from | wrong | well again after |',
    )
    print('| --- | --- | --- | --- | --- | --- | --- | --- | --- |')
    isFirst.value = false
  }
  const { name, requests, refused, inTime, lateByTheMachine, late, bySource, wrong } = result
  const times = [result.p50Ms, result.p99Ms, result.p999Ms, result.maxMs]
    .map((ms) => ms.toFixed(1))
    .join(' / ')
  const sources = Object.entries(bySource).map(([source, count]) => `${source} ${count}`)
  const share = ((100 * inTime) / (requests - refused)).toFixed(2)
  const recovered = result.recoverySeconds === null ? 'never' : `${result.recoverySeconds.toFixed(2)} s`
  print(
    `| ${name} | ${requests} / ${result.askedWhileBroken} | ${refused} | ${share} % | ${lateByTheMachine} / ${late.length} | ${times} | ${sources.join(', ')} | ${wrong.length} | ${recovered} |`,
  )
  if (result.exitCode !== 0) print(`  the gateway ended with ${result.exitCode}: ${result.output}`)
  for (const words of new Set(wrong.slice(0, 5))) print(`  wrong: ${words}`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
