/** `npm run chaos`: everything is struck while the demo's load runs, and nothing may be lost. */
import { parseArgs } from 'node:util'
import { describeError, FreshetError } from '@freshet/errors/errors.ts'
import { runRound } from './run-round.ts'
import { ChaosServers } from './servers.ts'
import { problemsOf, TABLE_HEAD, tableRow } from './verdict.ts'

const HELP = `npm run chaos -- [options]

Streams the demo's flights through a whole pipeline, on servers of its own, while every process and every server is
killed, frozen, restarted and cut off, slowed or garbled by the network, one or two of them every 3 s. After each round
all is mended, and the proof, \`verify\`, the callers' times, memory, descriptors and alerts are looked at. Each fault is a
line on the terminal; a row of a table for each round goes to the standard output. The seed of a round gives the same
faults again. Exit code 0 only if all rounds hold. Linux; 4 GiB of memory and two cores at least.

  --rounds N        (1)
  --seed N          of the first round; the next ones count on from it (by chance)
  --minutes N       of faults in a round, also parts of one (2.5)
  --rate N          writes a second (100)
  --requests N      lookups a second (100)
  --json            verdicts as JSON lines instead of a table
  --help
`

function readPlan(args: string[]) {
  const { values } = parse(args)
  return {
    help: values.help,
    json: values.json,
    rounds: number('rounds', values.rounds, /^[1-9]\d{0,3}$/),
    seed:
      values.seed === undefined ? Math.floor(Math.random() * 1e6) : number('seed', values.seed, /^\d{1,9}$/),
    minutes: number('minutes', values.minutes, /^(?!0+(\.0+)?$)\d{1,4}(\.\d+)?$/),
    rate: number('rate', values.rate, /^[1-9]\d{0,5}$/),
    requestsPerSecond: number('requests', values.requests, /^[1-9]\d{0,4}$/),
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        rounds: { type: 'string', default: '1' },
        seed: { type: 'string' },
        minutes: { type: 'string', default: '2.5' },
        rate: { type: 'string', default: '100' },
        requests: { type: 'string', default: '100' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (cause) {
    throw new FreshetError('USAGE', (cause as Error).message, { cause })
  }
}

function number(name: string, text: string, form: RegExp): number {
  if (!form.test(text)) throw new FreshetError('USAGE', `--${name}: not ${text}; see --help`)
  return Number(text)
}

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())

try {
  const { help, json, rounds, seed, ...plan } = readPlan(process.argv.slice(2))
  if (help) process.stdout.write(HELP)
  else await run()

  async function run(): Promise<void> {
    const startMs = performance.now()
    const tell = (line: string) =>
      process.stderr.write(`${((performance.now() - startMs) / 1_000).toFixed(1).padStart(7)} s  ${line}\n`)
    tell(`${rounds} rounds from seed ${seed}, ${plan.minutes} minutes each; the servers start`)
    await using servers = await ChaosServers.start(seed)
    if (!json) process.stdout.write(`${TABLE_HEAD}\n`)
    for (let round = 0; round < rounds && !stop.signal.aborted; round++) {
      tell(`round ${round + 1} of ${rounds} [seed ${seed + round}]`)
      const verdict = await runRound(servers, { ...plan, seed: seed + round, tell, signal: stop.signal })
      process.stdout.write(`${json ? JSON.stringify(verdict) : tableRow(verdict)}\n`)
      const problems = problemsOf(verdict)
      tell(problems.length === 0 ? 'the round holds' : 'THE ROUND DOES NOT HOLD')
      for (const { what } of problems) tell(`  ${what}`)
      if (problems.length > 0) process.exitCode = 1
    }
  }
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`)
  process.exitCode = 2
}
