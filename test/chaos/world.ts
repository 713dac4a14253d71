/** The pipeline of one round: each process knows the servers by doors of its own, and a Slack listens. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@elastic/elasticsearch'
import { type FeedOptions, feedFlights } from '@freshet/demo/feeder.ts'
import { type SlackReceiver, startSlackReceiver } from '@freshet/demo/slack-receiver.ts'
import { Tally } from '@freshet/demo/tally.ts'
import { PortPicker } from '@freshet/up/ports.ts'
import { SHORT } from '../alerts/short-thresholds.ts'
import { type Told, whatWasTold } from '../alerts/told.ts'
import { Stack } from '../stack.ts'
import { until } from '../until.ts'
import { Callers } from './callers.ts'
import type { ChaosServers } from './servers.ts'
import { PROCESSES, type ProcessTarget } from './targets.ts'

const START_MS = 180_000
const SUPERVISE_EVERY_MS = 500
/** What a service says when it is asked to end. */
const ASKED = 'finishing what is in hand'
/** What a service says that ends by itself, a moment before it is gone. */
const GIVEN_UP = 'cannot go on'
/** A stack of calls fits in. */
const LAST_LINES = 24
const WRITE_AGAIN_MS = 100
/** Under no fault, a write that takes longer has lost its connection. */
const WRITE_TIMEOUT_MS = 5_000

export class ChaosWorld implements AsyncDisposable {
  readonly servers: ChaosServers
  readonly stack: Stack
  readonly callers: Callers
  readonly tally = new Tally()
  /** Documents that were written, for callers to ask for. */
  readonly keys: string[] = []
  readonly #slack: SlackReceiver
  readonly #pages: readonly number[]
  readonly #opened: AsyncDisposableStack
  readonly #over = new AbortController()
  readonly #tell: (line: string) => void
  /** Who ends by itself is started again; who was ended on purpose is not in here. */
  readonly #supervised = new Set<ProcessTarget>()

  /** Resolves when every process runs, and the gateway can answer. @param tell takes a line of the round's log */
  static async open(servers: ChaosServers, tell: (line: string) => void): Promise<ChaosWorld> {
    await using opened = new AsyncDisposableStack()
    const slack = opened.use(await startSlackReceiver({ port: 0 }))
    const stack = opened.use(
      await Stack.open({
        ...SHORT,
        ...servers.direct,
        FRESHET_SWEEP_PAUSE_SECONDS: '2',
        FRESHET_SLACK_WEBHOOK_URL: slack.url,
      }),
    )
    const ports = new PortPicker()
    const pages = [await ports.pick([]), await ports.pick([])]
    for (const process of PROCESSES) stack.envOf[process] = servers.behindDoorsOf(process)
    for (const [index, process] of (['watchdog', 'watchdog-2'] as const).entries())
      stack.envOf[process] = { ...stack.envOf[process], FRESHET_WATCHDOG_PAGE_PORT: `${pages[index]}` }
    const callers = opened.use(new Callers())
    const world = new ChaosWorld({ servers, stack, callers, slack, pages, tell }, opened.move())
    await world.#begin()
    return world
  }

  private constructor(
    parts: Pick<ChaosWorld, 'servers' | 'stack' | 'callers'> & {
      slack: SlackReceiver
      pages: readonly number[]
      tell: (line: string) => void
    },
    opened: AsyncDisposableStack,
  ) {
    this.servers = parts.servers
    this.stack = parts.stack
    this.callers = parts.callers
    this.#slack = parts.slack
    this.#pages = parts.pages
    this.#tell = parts.tell
    this.#opened = opened
  }

  /** All that people were told so far, oldest first. */
  get told(): readonly Told[] {
    return whatWasTold(this.#slack.messages)
  }

  /** The demo's load until it is over; a write is tried until it is done. */
  async feed(rate: number, over: AbortSignal): Promise<void> {
    const { index } = this.stack
    await feedFlights({
      ...{ index, tally: this.tally, rate, docs: undefined, signal: over },
      client: patient(this.stack.client),
      probe: { hasRoom: false, watch: () => {}, watchDeleted: () => {}, answered: async () => {} },
      callers: { know: (key) => void this.keys.push(key) },
    })
  }

  start(name: ProcessTarget): void {
    this.stack.start(name)
    this.#supervised.add(name)
    if (name === 'gateway') void this.#noticeGateway()
  }

  /** @param signal SIGKILL, or SIGTERM in order */
  async end(name: ProcessTarget, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | string> {
    this.#supervised.delete(name)
    if (name === 'gateway') this.callers.gatewayDown()
    return await this.stack.stop(name, signal)
  }

  /** @returns what is wrong with how it ended, if anything: it may take `giveUpMs` */
  async endInOrder(name: ProcessTarget, giveUpMs: number): Promise<string | undefined> {
    const pid = this.stack.pidOf(name)
    const hadEnded = this.stack.hasEnded(name) || this.lastWords(name).includes(GIVEN_UP)
    const killing = setTimeout(() => process.kill(pid, 'SIGKILL'), giveUpMs)
    const ending = await this.end(name, 'SIGTERM')
    clearTimeout(killing)
    if (hadEnded || ending === 0 || ending === 'SIGTERM') return undefined // not begun yet, it has nothing to finish
    const words = this.lastWords(name)
    const wasHeard = this.#lastLines(name).some((line) => line.includes(ASKED))
    if (ending === 1 && wasHeard && !words.includes('Node.js v')) return undefined // its time was over: a server was away
    return `${name}: asked to end, it ended with ${ending}: ${words}`
  }

  /** The last that it wrote. */
  lastWords(name: ProcessTarget): string {
    const lines = this.#lastLines(name)
    const log = lines.filter((line) => line.startsWith('{"@timestamp"')).slice(-1)
    const thrown = lines.filter((line) => !line.startsWith('{"@timestamp"'))
    return [...log, ...thrown].map((line) => line.trim().slice(0, 600)).join(' ⏎ ')
  }

  freeze(name: ProcessTarget): void {
    if (name === 'gateway') this.callers.gatewayDown()
    process.kill(this.stack.pidOf(name), 'SIGSTOP')
  }

  async thaw(name: ProcessTarget): Promise<void> {
    process.kill(this.stack.pidOf(name), 'SIGCONT')
    if (name === 'gateway') await this.callers.gatewayUp()
  }

  /** What fires by the status page of each watchdog. @throws when one does not answer */
  async openAlerts(): Promise<readonly string[]> {
    const states = await Promise.all(
      this.#pages.map(async (port) => {
        const response = await fetch(`http://127.0.0.1:${port}/api/status`, {
          signal: AbortSignal.timeout(5_000),
        })
        return (await response.json()) as Page
      }),
    )
    return states
      .filter(({ watchdog }) => watchdog.speaks !== false)
      .flatMap(({ alerts }) => alerts.filter(({ phase }) => phase === 'firing').map(({ title }) => title))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort()
    await this.#opened.disposeAsync()
  }

  #lastLines(name: ProcessTarget): readonly string[] {
    return (this.stack.output[name] ?? '').trimEnd().split('\n').slice(-LAST_LINES)
  }

  async #begin(): Promise<void> {
    for (const name of PROCESSES) if (!name.startsWith('watchdog')) this.start(name)
    await until('the gateway is ready', async () => (await fetch(`${this.stack.gatewayUrl}/readyz`)).ok, {
      giveUpMs: START_MS,
      explain: () => JSON.stringify(this.stack.output, null, 2),
    })
    const supervising = this.#supervise()
    this.#opened.defer(() => supervising)
  }

  /** As a supervisor does: who could not begin since a server was away, tries again. */
  async #supervise(): Promise<void> {
    for (; !this.#over.signal.aborted; await sleep(SUPERVISE_EVERY_MS))
      for (const name of this.#supervised) {
        if (!this.stack.hasEnded(name)) continue
        if (name === 'gateway') this.callers.gatewayDown()
        const ending = await this.stack.stop(name)
        this.#tell(`${name} has ended by itself with ${ending}, and is started: ${this.lastWords(name)}`)
        this.start(name)
      }
  }

  /** From its first answer on it is held to its bound. */
  async #noticeGateway(): Promise<void> {
    const pid = this.stack.pidOf('gateway')
    this.callers.gatewayBegins(pid)
    while (!this.#over.signal.aborted && this.stack.runsAs('gateway', pid)) {
      const lives = await fetch(`${this.stack.gatewayUrl}/healthz`, {
        signal: AbortSignal.timeout(1_000),
      }).then(
        ({ ok }) => ok,
        () => false,
      )
      if (lives && this.stack.runsAs('gateway', pid)) return await this.callers.gatewayUp()
      await sleep(20)
    }
  }
}

interface Page {
  readonly watchdog: { readonly speaks: boolean | null }
  readonly alerts: readonly { readonly title: string; readonly phase: string }[]
}

/** Whole documents by their ids: what was done already is done once more, and changes nothing. */
function patient(client: Client): FeedOptions['client'] {
  return {
    async bulk(request) {
      for (;;) {
        try {
          const answer = await client.bulk(request, { requestTimeout: WRITE_TIMEOUT_MS, maxRetries: 0 })
          if (!answer.items.some((item) => (item.index ?? item.delete)!.status >= 429)) return answer
        } catch {
          // Elasticsearch is struck: it comes back
        }
        await sleep(WRITE_AGAIN_MS)
      }
    },
  }
}
