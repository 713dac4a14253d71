/** The main job on real data: servers and services of its own, a stream of flights, and the proof at the end. */
import { loadSettings } from '@freshet/config/load.ts'
import { bootstrap } from '@freshet/up/bootstrap.ts'
import { down } from '@freshet/up/down.ts'
import { PortPicker } from '@freshet/up/ports.ts'
import { servicesAsSettings } from '@freshet/up/services-file.ts'
import { up } from '@freshet/up/up.ts'
import { GatewayClient } from './gateway-client.ts'
import { writeNoSettings } from './own-settings.ts'
import { DEMO_INDEX, type PlayOptions, play, prepare } from './play.ts'
import { RunningServices } from './services.ts'
import { startSlackReceiver } from './slack-receiver.ts'

export interface DemoOptions extends PlayOptions {
  readonly mode: 'auto' | 'docker' | 'native'
  /** Folder of the demo's own servers; emptied at the start. */
  readonly home: string
}

/** @returns the exit code: 0 only if nothing is missing, stale or extra. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { home, signal, report } = options
  await down({ home, purge: true, report: () => {} })
  await using cleanup = new AsyncDisposableStack()
  cleanup.defer(() => down({ home, purge: true, report }))
  const services = await up({ home, mode: options.mode, report, signal })
  const slack = cleanup.use(await startSlackReceiver({ port: 0 }))
  const env = { ...demoEnvironment(slack.url), FRESHET_CONFIG: writeNoSettings(home) }
  const settings = loadSettings({ file: env.FRESHET_CONFIG, env, services: servicesAsSettings(services) })
  await bootstrap(settings, report)
  await prepare(settings, report)

  const ports = new PortPicker()
  const gatewayPort = await ports.pick([8080])
  const pagePort = await ports.pick([8081])
  const running = cleanup.use(new RunningServices({ env, home, gatewayPort, pagePort }))
  const gateway = cleanup.use(new GatewayClient({ url: `http://127.0.0.1:${gatewayPort}` }))
  await running.ready(gateway, signal)
  report(`the services run, their log is ${running.logFile}; the gateway answers at ${gateway.url}`)
  report(`the status page: http://127.0.0.1:${pagePort}`)
  return await play({ ...options, settings, gateway, slack })
}

/** Settings of the demo beside the servers' addresses. Short intervals: a demo has no minute to wait. */
function demoEnvironment(slackUrl: string): Record<string, string> {
  return {
    FRESHET_PIPELINE: 'demo',
    FRESHET_ELASTICSEARCH_INDEX: DEMO_INDEX,
    FRESHET_SNAPSHOT_INTERVAL_SECONDS: '5',
    FRESHET_SNAPSHOT_FOLLOW_SECONDS: '2',
    FRESHET_SWEEP_PAUSE_SECONDS: '2',
    FRESHET_MODEL_POINTER_INTERVAL_MS: '1000',
    FRESHET_SLACK_WEBHOOK_URL: slackUrl,
  }
}
