/** Streams flights through a pipeline that runs, shows it, and proves at the end that nothing was lost. */
import { join } from 'node:path'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { readBundleFolder } from '@freshet/model/bundle/bundle.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import { ReferenceScorer } from '@freshet/model/run/score-documents.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { startCallers } from './callers.ts'
import { startDisplay, titlesOf } from './display.ts'
import { feedFlights } from './feeder.ts'
import { FreshnessProbe } from './freshness.ts'
import type { GatewayClient } from './gateway-client.ts'
import { prove } from './proof.ts'
import { Pulse } from './pulse.ts'
import type { SlackReceiver } from './slack-receiver.ts'
import { Tally } from './tally.ts'

export const DEMO_INDEX = 'flights'
const MODEL_FOLDER = join(import.meta.dirname, 'model')

export interface PlayOptions {
  /** Ends after so many documents, with a proof; else goes on until `signal` aborts. */
  readonly docs?: number
  /** Writes to Elasticsearch per second. */
  readonly rate: number
  readonly json: boolean
  /** Takes one line of progress. */
  readonly report: (line: string) => void
  readonly signal: AbortSignal
}

/** Makes the index, unless it is there, and promotes the demo's model. */
export async function prepare(settings: Settings, report: (line: string) => void): Promise<void> {
  await using client = connectElasticsearch(settings.elasticsearch)
  const { index } = settings.elasticsearch
  if (!(await client.indices.exists({ index })))
    await client.indices.create({ index, settings: { number_of_shards: 2, number_of_replicas: 0 } })
  await using store = openS3(settings.s3)
  const bundle = await readBundleFolder(MODEL_FOLDER)
  await pushModel(store, bundle)
  await promoteModel(store, bundle.spec, Date.now())
  report(`model ${modelLabel(bundle.spec)} is pushed to S3 and promoted`)
}

interface Stage extends PlayOptions {
  readonly settings: Settings
  readonly gateway: GatewayClient
  readonly slack: SlackReceiver | undefined
}

/** @returns the exit code: 0 only if nothing is missing, stale or extra. */
export async function play({
  settings,
  gateway,
  slack,
  docs,
  rate,
  json,
  report,
  signal,
}: Stage): Promise<number> {
  await using client = connectElasticsearch(settings.elasticsearch)
  await using store = openS3(settings.s3)
  const bundle = await readBundleFolder(MODEL_FOLDER)
  const { index } = settings.elasticsearch
  const tally = new Tally()
  await using reference = await ReferenceScorer.open(bundle)
  const probe = new FreshnessProbe({ gateway, reference, tally })
  await using pulse = new Pulse(settings)
  await using callers = startCallers({ gateway, tally })
  using _display = startDisplay({ tally, pulse, callers, slack, gateway })
  await feedFlights({ client, index, tally, probe, callers, rate, docs, signal })
  if (docs === undefined || signal.aborted) return 0

  report('all documents are in Elasticsearch; waiting until each has its score in Redis and in the snapshot')
  await probe.settle()
  await pulse.caughtUp(signal)
  const proof = await prove({ client, index, settings, store, bundle, signal })
  await callers.stop()
  const alerts =
    slack === undefined ? {} : { alerts: slack.messages.length, alertTitles: titlesOf(slack.messages) }
  const summary = { ...tally.summary(), ...(await pulse.figures()), ...proof, ...alerts }
  process.stdout.write(`${JSON.stringify(summary, null, json ? 0 : 2)}\n`)
  return proof.missing + proof.stale + proof.extra === 0 && !signal.aborted ? 0 : 1
}
