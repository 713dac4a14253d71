/** `npm run soak`: millions of documents through the whole pipeline, and what they cost. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeError, FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { startServers } from '../start-servers.ts'
import { holds, runSoak, type SoakPlan } from './run-soak.ts'

const HELP = `npm run soak -- [options]

Writes documents into Elasticsearch through the whole pipeline, as processes, on servers of its own (or those that
FRESHET_KAFKA_BROKERS and the other addresses name: then the memory and CPU of servers are not told). A row every 10 s
goes to a file, progress to the terminal, and at the end the proof and a summary. Exit code 0 only if the proof holds.
Ten million documents want some 15 GiB of disk and 6 GiB of memory while they run. Linux.

  --docs N          documents (10000000)
  --updates N       updates of them (2000000); the last tenth at a quarter of the rate
  --deletes N       deletes, at most half of the documents (200000)
  --wait SECONDS    writes when the oldest sample has waited less for its score in Redis (3)
  --rate N          writes at this rate instead, in operations a second
  --minutes N       ends the load after so many minutes, with what was written by then (240)
  --out FILE        rows and summary as JSON lines (.freshet/soak.jsonl)
  --help
`

function readPlan(args: readonly string[]): Omit<SoakPlan, 'signal' | 'report'> | undefined {
  const { values } = parse(args)
  if (values.help) return undefined
  const documents = positive('docs', values.docs)
  const deletes = natural('deletes', values.deletes)
  if (deletes > documents / 2) throw new FreshetError('USAGE', '--deletes: at most half of --docs')
  return {
    documents,
    updates: natural('updates', values.updates),
    deletes,
    pace:
      values.rate === undefined
        ? { maxWaitingSeconds: positive('wait', values.wait) }
        : { perSecond: positive('rate', values.rate) },
    loadMinutes: positive('minutes', values.minutes),
    file: values.out,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        docs: { type: 'string', default: '10000000' },
        updates: { type: 'string', default: '2000000' },
        deletes: { type: 'string', default: '200000' },
        wait: { type: 'string', default: '3' },
        rate: { type: 'string' },
        minutes: { type: 'string', default: '240' },
        out: { type: 'string', default: join('.freshet', 'soak.jsonl') },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (cause) {
    throw new FreshetError('USAGE', (cause as Error).message, { cause })
  }
}

function positive(name: string, text: string): number {
  const value = natural(name, text)
  if (value === 0) throw new FreshetError('USAGE', `--${name} wants a whole number from 1`)
  return value
}

function natural(name: string, text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new FreshetError('USAGE', `--${name} wants a whole number, not ${text}`)
  return Number(text)
}

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())

try {
  const plan = readPlan(process.argv.slice(2))
  if (plan === undefined) process.stdout.write(HELP)
  else {
    await using servers = await startServers('soak', stop.signal)
    const report = (line: string) => process.stderr.write(`${line}\n`)
    const summary = await runSoak({ ...plan, report, signal: stop.signal }, servers)
    process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`)
    process.exitCode = holds(summary) ? 0 : 1
  }
} catch (error) {
  const isUsage = isFreshetError(error, 'USAGE')
  if (stop.signal.aborted) process.stderr.write('stopped before the end\n')
  else process.stderr.write(`${isUsage ? `${error.message}\n\n${HELP}` : `${describeError(error)}\n`}`)
  process.exitCode = isUsage ? 2 : 1
}
