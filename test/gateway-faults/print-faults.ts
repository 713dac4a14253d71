/**
 * `npm run faults [-- --only redis-frozen,burst] [--seconds 8.2] [--rate 1250] [--json] [--record]`: the faults, and what
 * callers saw. `--record` writes it into docs/gateway-faults.md, on a machine that nobody disturbs.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { commit, describeHost, loadNow } from '../host.ts'
import { startServers } from '../start-servers.ts'
import { failings, notesOf, TABLE_HEAD, tableRow } from './fault-table.ts'
import { FAULTS } from './faults.ts'
import { runFault } from './run-fault.ts'

const PAGE = new URL('../../docs/gateway-faults.md', import.meta.url)
const MARKS = ['<!-- made by npm run faults -- --record -->', '<!-- end of what is made -->'] as const

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string', default: '8.2' },
    rate: { type: 'string', default: '1250' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})
const wanted = values.only?.split(',')
if (values.record && wanted !== undefined)
  throw new Error('the page has all of them: --record goes without --only')
await using _servers = await startServers('bench', new AbortController().signal)
const lines = [`${conditions()}\n\n${TABLE_HEAD}`]
const notes: string[] = []
if (!values.json) print(lines[0]!)
for (const fault of FAULTS.filter(({ name }) => wanted?.includes(name) ?? true)) {
  const result = await runFault(fault, {
    seconds: Number(values.seconds),
    requestsPerSecond: Number(values.rate),
  })
  lines.push(tableRow(result))
  notes.push(...notesOf(result))
  print(values.json ? JSON.stringify(result) : lines.at(-1)!)
  if (result.exitCode !== 0) process.stderr.write(`${result.output}\n`)
  process.exitCode ||= failings(result).length === 0 ? 0 : 1
}
if (!values.json) print(`\n${notes.join('\n')}`)
if (values.record) record(`${lines.join('\n')}\n\n${notes.join('\n')}`)

function conditions(): string {
  const { cpu, cores, node } = describeHost()
  const day = new Date().toISOString().slice(0, 10)
  return `${day}, commit ${commit()}: ${cores} cores (${cpu}), load ${loadNow()} before, Node ${node}; ${values.rate} requests a second for ${values.seconds} s a fault.`
}

function record(block: string): void {
  const page = readFileSync(PAGE, 'utf8')
  const [from, to] = MARKS.map((mark) => page.indexOf(mark)) as [number, number]
  if (from < 0 || to < from) throw new Error('the page has no place for what is made')
  writeFileSync(PAGE, `${page.slice(0, from + MARKS[0].length)}\n\n${block}\n\n${page.slice(to)}`)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
