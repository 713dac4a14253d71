/** `npm run bench [figure...]`: starts what it needs, measures, prints. */
import { parseArgs } from 'node:util'
import { describeError, FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { startServers, type TestServers } from '../start-servers.ts'
import { cacheWrites } from './cache-writes.ts'
import { capture } from './capture.ts'
import { captureIdle } from './capture-idle.ts'
import { captureMemory } from './capture-memory.ts'
import type { Bench, Figure } from './figure.ts'
import { gatewayLookups } from './gateway/lookups.ts'
import { gatewayMemory } from './gateway/memory.ts'
import { gatewayPredict } from './gateway/predict.ts'
import { gatewayRank } from './gateway/rank.ts'
import { gatewaySnapshot } from './gateway/snapshot.ts'
import { infer } from './infer.ts'
import { inferLatency } from './infer-latency.ts'
import { measure } from './measure.ts'
import { memory } from './memory.ts'
import { inferAgainstStreams } from './peers/infer-against-streams.ts'
import { lookupsAgainstFeast } from './peers/lookups-against-feast.ts'
import { predictAgainstFastApi } from './peers/predict-against-fastapi.ts'
import { describeMachine, resultLine, resultText, roundText } from './print.ts'
import { rescoreLatency } from './rescore-latency.ts'
import { scorerMemory } from './scorer-memory.ts'
import { snapshotDelta } from './snapshot-delta.ts'
import { snapshotFollow } from './snapshot-follow.ts'
import { snapshotMerge } from './snapshot-merge.ts'
import { telemetryCostOfGateway, telemetryCostOfInfer } from './telemetry-cost.ts'

const FIGURES: readonly Figure[] = [
  capture,
  captureIdle,
  captureMemory,
  infer,
  inferLatency,
  rescoreLatency,
  cacheWrites,
  snapshotDelta,
  snapshotMerge,
  snapshotFollow,
  scorerMemory,
  gatewayLookups,
  gatewaySnapshot,
  gatewayPredict,
  gatewayRank,
  gatewayMemory,
  telemetryCostOfInfer,
  telemetryCostOfGateway,
  memory,
]
/** Fetch a peer first, so only when they are asked for. */
const PEERS: readonly Figure[] = [inferAgainstStreams, lookupsAgainstFeast, predictAgainstFastApi]
const ROUNDS = 5

const HELP = `npm run bench -- [figure...] [--peers] [--rounds N] [--json]

Measures all figures, or those named, beside their baselines; those beside peers only when named, or with --peers. Servers: those that FRESHET_KAFKA_BROKERS,
FRESHET_ELASTICSEARCH_URL, FRESHET_REDIS_URL and FRESHET_S3_ENDPOINT name; without them it starts its own.

${list(FIGURES)}

Beside peers (their programs: bench/peers):
${list(PEERS)}

  --peers          the figures beside peers
  --rounds N       rounds of each, medians are told (most take ${ROUNDS}; fewer are a look, no figure)
  --json           one object a line
`

interface Plan {
  readonly figures: readonly Figure[]
  /** Of each figure; undefined: as many as it wants. */
  readonly rounds: number | undefined
  readonly json: boolean
}

async function run({ figures, rounds, json }: Plan, signal: AbortSignal): Promise<void> {
  if (!json) process.stdout.write(`${describeMachine()}\n\n`)
  await using servers = await startServers('bench', signal)
  for (const figure of figures) {
    const opened = await open(figure, servers)
    if (opened === undefined) continue
    await using bench = opened
    const onRound: Parameters<typeof measure>[2]['onRound'] = (round, samples) =>
      process.stderr.write(`${roundText(figure, round, samples)}\n`)
    const result = await measure(figure, bench, {
      rounds: rounds ?? figure.rounds ?? ROUNDS,
      onRound,
      signal,
    })
    process.stdout.write(json ? `${resultLine(result)}\n` : `${resultText(figure, result)}\n`)
  }
}

/** undefined, and said so, when a peer cannot be had here: that is no fault of ours, but nobody must miss that it is missing. */
async function open(figure: Figure, servers: TestServers): Promise<Bench | undefined> {
  try {
    return await figure.open(servers)
  } catch (error) {
    const isMissing = isFreshetError(error, 'DOWNLOAD_FAILED') || isFreshetError(error, 'TOOL_MISSING')
    if (!PEERS.includes(figure) || !isMissing) throw error
    process.stderr.write(`${figure.name}: SKIPPED, ${error.message}\n`)
    return undefined
  }
}

function list(figures: readonly Figure[]): string {
  return figures.map(({ name, title }) => `  ${name.padEnd(23)}${title}`).join('\n')
}

/** undefined when only help was wanted. @throws USAGE */
function readPlan(args: readonly string[]): Plan | undefined {
  const { values, positionals } = parse(args)
  if (values.help) return undefined
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  if (rounds !== undefined && (!Number.isInteger(rounds) || rounds < 1))
    throw new FreshetError('USAGE', `--rounds wants a whole number from 1, not ${values.rounds}`)
  const all = [...FIGURES, ...PEERS]
  const named = positionals.map((name) => {
    const figure = all.find((one) => one.name === name)
    if (figure) return figure
    const names = all.map((one) => one.name).join(', ')
    throw new FreshetError('USAGE', `no figure is called ${name}; there are ${names}`)
  })
  const wanted = [...named, ...(values.peers ? PEERS : [])]
  return { figures: wanted.length > 0 ? wanted : FIGURES, rounds, json: values.json }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        json: { type: 'boolean', default: false },
        peers: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (cause) {
    throw new FreshetError('USAGE', (cause as Error).message, { cause })
  }
}

/** A measurement in hand is finished first; a second signal ends the process at once. */
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())

try {
  const plan = readPlan(process.argv.slice(2))
  if (plan === undefined) process.stdout.write(HELP)
  else await run(plan, stop.signal)
} catch (error) {
  const isUsage = isFreshetError(error, 'USAGE')
  if (stop.signal.aborted) process.stderr.write('stopped before the end\n')
  else process.stderr.write(`${isUsage ? `${error.message}\n\n${HELP}` : `${describeError(error)}\n`}`)
  process.exitCode = isUsage ? 2 : 1
}
