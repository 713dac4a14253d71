/** What a command line asks for. */
import { parseArgs } from 'node:util'
import { FreshetError } from '@freshet/errors/errors.ts'
import { ENTRIES, type Entry, ROUNDS } from './figures.ts'
import type { Records } from './record/records.ts'

export type Plan =
  | { readonly kind: 'help' | 'list' | 'page' }
  | {
      readonly kind: 'measure'
      readonly entries: readonly Entry[]
      /** Of each figure; undefined: as many as it wants. */
      readonly rounds: number | undefined
      readonly json: boolean
      readonly record: boolean
    }

export const HELP = `npm run bench -- [figure...] [--peers | --no-peers] [--rounds N] [--record] [--json]

Measures all figures, or those named, beside their baselines and peers. One that fails does not stop the others. Servers:
those that FRESHET_KAFKA_BROKERS, FRESHET_ELASTICSEARCH_URL, FRESHET_REDIS_URL and FRESHET_S3_ENDPOINT name; without them
it starts its own.

  --list           the figures, with targets and times, and nothing else
  --peers          only the figures beside peers (their programs: bench/peers, fetched the first time)
  --no-peers       all but those
  --rounds N       rounds of each, medians are told (most take ${ROUNDS}; fewer are a look, and are not recorded)
  --record         writes each result to docs/benchmarks.json, and makes docs/benchmarks.md and its plot anew
  --page           makes page and plot anew, and measures nothing
  --json           one object a line
`

/** @throws USAGE */
export function readPlan(args: readonly string[]): Plan {
  const { values, positionals } = parse(args)
  for (const kind of ['help', 'list', 'page'] as const) if (values[kind]) return { kind }
  const rounds = readRounds(values.rounds)
  const entries = chosen(positionals, values)
  if (values.record) refuseToRecord(entries, rounds)
  return { kind: 'measure', entries, rounds, json: values.json, record: values.record }
}

export function roundsOf({ figure }: Entry): number {
  return figure.rounds ?? ROUNDS
}

/** As long as the last time, where that was written down. */
export function expectedSeconds({ figure, aboutSeconds }: Entry, { newest }: Records): number {
  return newest.find((one) => one.figure === figure.name)?.tookSeconds ?? aboutSeconds
}

function readRounds(text: string | undefined): number | undefined {
  const rounds = text === undefined ? undefined : Number(text)
  if (rounds !== undefined && (!Number.isInteger(rounds) || rounds < 1))
    throw new FreshetError('USAGE', `--rounds wants a whole number from 1, not ${text}`)
  return rounds
}

function chosen(
  names: readonly string[],
  { peers, 'no-peers': noPeers }: { readonly peers: boolean; readonly 'no-peers': boolean },
): readonly Entry[] {
  if (peers && noPeers) throw new FreshetError('USAGE', '--peers and --no-peers exclude each other')
  const known = ENTRIES.map(({ figure }) => figure.name)
  for (const name of names)
    if (!known.includes(name))
      throw new FreshetError('USAGE', `no figure is called ${name}; there are ${known.join(', ')}`)
  const isNamed = ({ figure }: Entry) => names.includes(figure.name)
  const isPeer = ({ stage }: Entry) => stage === 'peers'
  if (peers) return ENTRIES.filter((entry) => isPeer(entry) || isNamed(entry))
  const wanted = names.length > 0 ? ENTRIES.filter(isNamed) : ENTRIES
  return noPeers ? wanted.filter((entry) => !isPeer(entry)) : wanted
}

function refuseToRecord(entries: readonly Entry[], rounds: number | undefined): void {
  if (process.env.BENCH_KEYS !== undefined)
    throw new FreshetError('USAGE', 'with BENCH_KEYS in the environment nothing is recorded')
  const short = entries.filter((entry) => rounds !== undefined && rounds < roundsOf(entry))
  if (short.length > 0)
    throw new FreshetError(
      'USAGE',
      `${rounds} rounds are a look, not a record, for ${short.map(({ figure }) => figure.name).join(', ')}`,
    )
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        json: flag,
        peers: flag,
        'no-peers': flag,
        record: flag,
        page: flag,
        list: flag,
        help: flag,
      },
    })
  } catch (cause) {
    throw new FreshetError('USAGE', (cause as Error).message, { cause })
  }
}
