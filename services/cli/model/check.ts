import { randomInt } from 'node:crypto'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { type ModelBundle, readBundleFolder } from '@freshet/model/bundle/bundle.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { Command } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { readInvocation, wantsJson } from '../invocation.ts'
import { tellWhile } from '../tell-while.ts'
import { describeLive } from './describe-live.ts'
import { reportLive } from './live-report.ts'
import { MAX_SAMPLE, sampleDocuments } from './live-sample.ts'
import { prove } from './prove.ts'
import type { LiveReport } from './report-shape.ts'

const SOMETHING_IS_WRONG = 1
const DEFAULT_SAMPLE = 1_000
const LIVE_DEADLINE_MS = 10 * 60_000

interface Options {
  readonly live?: number | true
  readonly seed?: number
}

/** Exit code 1 when live documents give reason to worry; 2 when the golden rows do not fit. */
export function checkCommand(): Command {
  return new Command('check')
    .description('score the golden rows of a model folder, and a sample of live documents when asked')
    .argument('<folder>', 'holds model.onnx, model.json and golden.ndjson')
    .option(
      '--live [documents]',
      `draw documents from Elasticsearch too (default: ${DEFAULT_SAMPLE}) and report coverage, defaults, ranges and scores`,
      wholeNumber({ from: 1, to: MAX_SAMPLE }),
    )
    .option('--seed <number>', 'draw the same documents again', wholeNumber({ from: 0 }))
    .action(async (folder: string, { live, seed = randomInt(2 ** 31) }: Options, command: Command) => {
      const bundle = await readBundleFolder(folder)
      const engine = await prove(bundle)
      const count = live === true ? DEFAULT_SAMPLE : live
      const report =
        count === undefined
          ? null
          : await checkLive(bundle, readInvocation(command).settings, { count, seed })
      if (report !== null && report.concerns.length > 0) process.exitCode = SOMETHING_IS_WRONG
      process.stdout.write(
        wantsJson(command)
          ? toJson(bundle, engine, { live: report, seed })
          : describe(bundle, engine) + (report ? describeLive(report) : ''),
      )
    })
}

async function checkLive(
  bundle: ModelBundle,
  { elasticsearch }: Settings,
  sample: { readonly count: number; readonly seed: number },
): Promise<LiveReport> {
  await using client = connectElasticsearch(elasticsearch)
  const signal = AbortSignal.timeout(LIVE_DEADLINE_MS)
  const pages = sampleDocuments(client, elasticsearch, { ...sample, signal })
  return await tellWhile(`trying ${modelLabel(bundle.spec)} on live documents`, () =>
    reportLive(bundle, pages),
  )
}

type Engine = Awaited<ReturnType<typeof prove>>

function toJson(
  { spec: { name, version }, golden }: ModelBundle,
  engine: Engine,
  { live, seed }: { readonly live: LiveReport | null; readonly seed: number },
): string {
  return `${JSON.stringify({ name, version, goldenRows: golden.length, engine, live: live && { seed, ...live } })}\n`
}

const ENGINES: Readonly<Record<Engine, string>> = {
  'leaf-tables': 'by tables of its leaves, with the bits of ONNX Runtime',
  onnxruntime: 'by ONNX Runtime',
}

function describe({ spec, golden }: ModelBundle, engine: Engine): string {
  return `${modelLabel(spec)} scores its ${golden.length} golden rows as its author did, ${ENGINES[engine]}\n`
}
