/** The main job on real data: servers, services, a stream of flights, callers, and the proof at the end. */
import { join } from 'node:path'
import type { Client } from '@elastic/elasticsearch'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { type ModelBundle, readBundleFolder } from '@freshet/model/bundle.ts'
import { promoteModel, pushModel } from '@freshet/model/model-store.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { bootstrap } from '@freshet/up/bootstrap.ts'
import { down } from '@freshet/up/down.ts'
import { PortPicker } from '@freshet/up/ports.ts'
import { servicesAsSettings } from '@freshet/up/services-file.ts'
import { up } from '@freshet/up/up.ts'
import { startCallers } from './callers.ts'
import { startDisplay } from './display.ts'
import { feedFlights } from './feeder.ts'
import { FreshnessProbe } from './freshness.ts'
import { prove } from './proof.ts'
import { Pulse } from './pulse.ts'
import { RunningServices } from './services.ts'
import { type SlackReceiver, startSlackReceiver } from './slack-receiver.ts'
import { Tally } from './tally.ts'

export interface DemoOptions {
  /** Ends after so many documents, with a proof; else goes on until `signal` aborts. */
  readonly docs?: number
  /** Writes to Elasticsearch per second. */
  readonly rate: number
  readonly json: boolean
  readonly mode: 'auto' | 'docker' | 'native'
  /** Folder of the demo's own servers; emptied at the start. */
  readonly home: string
  readonly signal: AbortSignal
}

const MODEL_FOLDER = join(import.meta.dirname, 'model')
const DEMO_INDEX = 'flights'

/** @returns the exit code: 0 only if nothing is missing, stale or extra. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { home, signal } = options
  const report = (line: string) => process.stderr.write(`${line}\n`)
  await down({ home, purge: true, report: () => {} })
  await using cleanup = new AsyncDisposableStack()
  cleanup.defer(() => down({ home, purge: true, report }))
  const services = await up({ home, mode: options.mode, report, signal })
  const slack = cleanup.use(await startSlackReceiver({ port: 0 }))
  const env = demoEnvironment(slack.url)
  const settings = loadSettings({ env, services: servicesAsSettings(services) })
  await bootstrap(settings, report)

  const client = connectElasticsearch(settings.elasticsearch)
  cleanup.defer(() => client.close())
  await client.indices.create({ index: DEMO_INDEX, settings: { number_of_shards: 2, number_of_replicas: 0 } })
  const store = cleanup.use(openS3(settings.s3))
  const bundle = await readBundleFolder(MODEL_FOLDER)
  await pushModel(store, bundle)
  await promoteModel(store, bundle.spec, Date.now())
  report(`model ${bundle.spec.name}@${bundle.spec.version} is pushed to S3 and promoted`)

  const gatewayPort = await new PortPicker().pick([8080])
  const running = cleanup.use(new RunningServices({ env, home, gatewayPort }))
  await running.ready(signal)
  const { gatewayUrl } = running
  report(`the services run, their log is ${running.logFile}; the gateway answers at ${gatewayUrl}`)
  return await stream({ ...options, settings, client, store, bundle, slack, gatewayUrl, report })
}

interface Stage extends DemoOptions {
  readonly settings: Settings
  readonly client: Client
  readonly store: ObjectStore
  readonly bundle: ModelBundle
  readonly slack: SlackReceiver
  readonly gatewayUrl: string
  readonly report: (line: string) => void
}

async function stream({
  settings,
  client,
  store,
  bundle,
  slack,
  gatewayUrl,
  report,
  docs,
  rate,
  signal,
  json,
}: Stage): Promise<number> {
  const tally = new Tally()
  const probe = new FreshnessProbe({ gatewayUrl, bundle, tally })
  await using pulse = new Pulse(settings)
  await using callers = startCallers({ gatewayUrl, tally })
  using _display = startDisplay({ tally, pulse, callers, slack, gatewayUrl })
  await feedFlights({ client, index: DEMO_INDEX, tally, probe, callers, rate, docs, signal })
  if (docs === undefined || signal.aborted) return 0

  report('all documents are in Elasticsearch; waiting until each has its score in Redis and in the snapshot')
  const proof = await prove({ client, index: DEMO_INDEX, settings, store, bundle, signal })
  await probe.settle()
  await callers.stop()
  const summary = { ...tally.summary(), ...(await pulse.figures()), ...proof, alerts: slack.messages.length }
  process.stdout.write(`${JSON.stringify(summary, null, json ? 0 : 2)}\n`)
  return proof.missing + proof.stale + proof.extra === 0 && !signal.aborted ? 0 : 1
}

/** Settings of the demo beside the servers' addresses. Short snapshot interval: a demo has no minute to wait. */
function demoEnvironment(slackUrl: string): Record<string, string> {
  return {
    FRESHET_PIPELINE: 'demo',
    FRESHET_ELASTICSEARCH_INDEX: DEMO_INDEX,
    FRESHET_SNAPSHOT_INTERVAL_SECONDS: '5',
    FRESHET_SNAPSHOT_FOLLOW_SECONDS: '2',
    FRESHET_MODEL_POINTER_INTERVAL_MS: '1000',
    FRESHET_SLACK_WEBHOOK_URL: slackUrl,
  }
}
