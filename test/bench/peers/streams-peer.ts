import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DEMO_FOLDER } from '@freshet/model/bundle/bundles.kit.ts'
import { chooseJdk, findJdks } from '@freshet/up/find-jdk.ts'
import { findMaven } from '@freshet/up/find-tool.ts'
import { fetchInto, PEERS_FOLDER, PEERS_SOURCES } from './fetch-peer.ts'

const NAME = 'kafka-streams'
const ROUND_DEADLINE_MS = 150_000
/** One stream thread and no pauses to spare: the collector with the least CPU in all, and a heap that it seldom has to look at. */
const JVM_OPTIONS = [
  '-XX:+UseSerialGC',
  '-Xms1g',
  '-Xmx1g',
  '-Xmn600m',
  '--enable-native-access=ALL-UNNAMED',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
]

/** What the peer says of a round. */
export interface StreamsRound {
  readonly rows: number
  readonly cpuMicros: number
  readonly scoreSum: number
}

/** bench/peers/kafka-streams as a process that stays: rounds begin with what the earlier ones have compiled. */
export class StreamsPeer implements AsyncDisposable {
  readonly #child
  readonly #lines: AsyncIterator<string>

  /** @throws TOOL_MISSING, DOWNLOAD_FAILED */
  static async start(work: {
    brokers: readonly string[]
    changes: string
    scores: string
    rows: number
  }): Promise<StreamsPeer> {
    const jdk = chooseJdk(await findJdks(process.env, AbortSignal.timeout(20_000)), {
      atLeast: 17,
      purpose: 'Kafka Streams',
    })
    await fetchInto(NAME, findMaven(process.env), ['-B', '-q', 'package'], {
      cwd: join(PEERS_SOURCES, NAME),
      env: { ...process.env, JAVA_HOME: jdk.home },
    })
    const built = join(PEERS_FOLDER, NAME)
    const classes = [join(built, 'classes'), join(built, 'lib', '*')].join(':')
    const { brokers, changes, scores, rows } = work
    const args = [brokers.join(','), changes, scores, DEMO_FOLDER, String(rows), join(built, 'state')]
    const peer = new StreamsPeer(join(jdk.home, 'bin', 'java'), [
      ...JVM_OPTIONS,
      '-cp',
      classes,
      'peer.Main',
      ...args,
    ])
    await peer.#answer() // ready
    return peer
  }

  private constructor(java: string, args: readonly string[]) {
    this.#child = spawn(java, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
  }

  /** All rows from the beginning, under a consumer group of its own. */
  async scoreAll(group: string): Promise<StreamsRound> {
    this.#child.stdin.write(`${group}\n`)
    return JSON.parse(await this.#answer()) as StreamsRound
  }

  async #answer(): Promise<string> {
    const late = setTimeout(() => this.#child.kill('SIGKILL'), ROUND_DEADLINE_MS)
    const { value, done } = await this.#lines.next()
    clearTimeout(late)
    if (done) throw new Error('the Kafka Streams program has ended; its last words are above')
    return value
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.stdin.end()
    this.#child.kill()
    await ended
  }
}
