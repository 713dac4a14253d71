/** A process of its own that asks the gateway in an open loop: a request goes out when it is due, whatever became of the others. */
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { monotonicMs } from './monotonic.ts'

export interface LoadOrder {
  /** On 127.0.0.1. */
  readonly port: number
  /** Whole HTTP/1.1 requests; each is asked as often as the others, in an order that a seed decides. */
  readonly requests: readonly string[]
  readonly seconds: number
  readonly requestsPerSecond: number
  /** Between these moments of the load it is another. */
  readonly phases?: readonly LoadPhase[]
}

export interface LoadPhase {
  readonly fromMs: number
  readonly toMs: number
  readonly requestsPerSecond?: number
  readonly requests?: readonly string[]
}

/** When something was asked and answered, by monotonicMs. */
export interface Timed {
  readonly sentAtMs: number
  /** When the last byte of the answer was there, or the connection broke; null: there was none. */
  readonly doneAtMs: number | null
}

/** One request. */
export interface Asked extends Timed {
  readonly dueAtMs: number
  /** Its method and the beginning of its path: `GET /v1/scores`. */
  readonly operation: string
  /** Answered past node:http (services/gateway/server/plain). */
  readonly isPlain: boolean
  /** Of HTTP; 0 when there was none. */
  readonly status: number
  readonly key: string | null
  readonly score: number | null
  readonly source: string | null
  readonly model: string | null
  readonly reason: string | null
  /** Of a ranking, whose best answer this is: where its documents came from. */
  readonly pool: string | null
  /** Asked in a phase of the load. */
  readonly inPhase: boolean
  /** What stands in the answer else, or went wrong. */
  readonly problem: string | null
}

type About = Pick<Asked, 'dueAtMs' | 'inPhase' | 'operation'>
type Answered = Omit<Asked, keyof About>

interface Request {
  readonly operation: string
  readonly bytes: Buffer
}

/** What came back, not read yet: who reads while he asks is late himself. */
interface Heard extends Timed {
  readonly text: string | null
  readonly problem: string | null
}

export interface LoadReport {
  readonly asked: readonly Asked[]
  /** When this process itself stood still. */
  readonly stalls: readonly Stall[]
}

export interface Stall {
  readonly fromMs: number
  readonly toMs: number
}

/** As the pools of some backends together keep. */
const WARM_CONNECTIONS = 256
/** So many are opened at a time: more at once would be a burst of their own. */
const WARM_AT_ONCE = 32
const MAX_CONNECTIONS = 4_000
/** After the last request; what has not come by then is lost. */
const PATIENCE_MS = 5_000
/** Standing still for less is how timers are. */
const STALL_MS = 5

async function generate(order: LoadOrder): Promise<LoadReport> {
  const pools = new Pools(order.port)
  const usual = order.requests.map(toRequest)
  const ofPhase = new Map(
    (order.phases ?? []).map((phase) => [phase, phase.requests?.map(toRequest) ?? usual]),
  )
  const known = new Set(usual.map(({ operation }) => operation))
  const others = [...ofPhase.values()].flat().filter(({ operation }) => !known.has(operation))
  await pools.warm([...usual, ...others])
  process.send!('begins')
  const asked: Promise<{ answer: Heard; about: About }>[] = []
  const stalls: Stall[] = []
  const due = dueTimes(order)
  const startMs = monotonicMs()
  let turnedAtMs = startMs
  for (let next = 0; next < due.length; ) {
    const nowMs = monotonicMs()
    if (nowMs - turnedAtMs > STALL_MS) stalls.push({ fromMs: turnedAtMs, toMs: nowMs })
    turnedAtMs = nowMs
    for (; next < due.length && startMs + due[next]!.atMs <= nowMs; next++) {
      const { atMs, phase } = due[next]!
      const requests = (phase && ofPhase.get(phase)) ?? usual
      const { operation, bytes } = requests[shuffled(next, requests.length)]!
      const about = { dueAtMs: startMs + atMs, inPhase: phase !== undefined, operation }
      asked.push(
        pools
          .of(operation)
          .ask(bytes)
          .then((answer) => ({ answer, about })),
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  setTimeout(() => pools.close(), PATIENCE_MS).unref()
  const heard = await Promise.all(asked)
  const report = { asked: heard.map(({ answer, about }) => ({ ...toAnswered(answer), ...about })), stalls }
  pools.close()
  return report
}

function toRequest(text: string): Request {
  return { operation: /^\S+ (\/v1)?\/\w+/.exec(text)![0], bytes: Buffer.from(text) }
}

function dueTimes({ seconds, requestsPerSecond, phases = [] }: LoadOrder) {
  const due: { atMs: number; phase: LoadPhase | undefined }[] = []
  for (let atMs = 0; atMs < seconds * 1_000; ) {
    const phase = phases.find(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs)
    due.push({ atMs, phase })
    atMs += 1_000 / (phase?.requestsPerSecond ?? requestsPerSecond)
  }
  return due
}

/** Some number below `count`, the same in every run. */
function shuffled(index: number, count: number): number {
  return (Math.imul(index + 1, 0x9e3779b1) >>> 7) % count
}

/**
 * Connections for each operation, as docs/gateway.md advises: one that was asked for a ranking is node:http's from then on,
 * and lookups over it would not be what a backend's are.
 */
class Pools {
  readonly #port: number
  readonly #pools = new Map<string, Connections>()

  constructor(port: number) {
    this.#port = port
  }

  of(operation: string): Connections {
    const known = this.#pools.get(operation)
    if (known !== undefined) return known
    const pool = new Connections(this.#port)
    this.#pools.set(operation, pool)
    return pool
  }

  /** Each pool with its own requests, and as many connections as it has of these. */
  async warm(requests: readonly Request[]): Promise<void> {
    for (const [operation, own] of Map.groupBy(requests, (request) => request.operation))
      await this.of(operation).warm(
        own.map(({ bytes }) => bytes),
        Math.ceil((WARM_CONNECTIONS * own.length) / requests.length),
      )
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close()
  }
}

/** Kept alive; a request takes one that is idle, else a new one. */
class Connections {
  readonly #port: number
  readonly #idle: Connection[] = []
  readonly #open = new Set<Connection>()

  constructor(port: number) {
    this.#port = port
  }

  /** Each is asked over once: one that says nothing for two seconds is closed by the gateway. */
  async warm(requests: readonly Buffer[], count: number): Promise<void> {
    const warm: Connection[] = []
    while (warm.length < count) {
      const some = Array.from({ length: Math.min(WARM_AT_ONCE, count - warm.length) }, () => this.#new())
      await Promise.all(
        some.map((connection, i) => connection.ask(requests[(warm.length + i) % requests.length]!)),
      )
      warm.push(...some)
    }
    this.#idle.push(...warm)
  }

  async ask(request: Buffer): Promise<Heard> {
    const sentAtMs = monotonicMs()
    const connection = this.#idle.pop() ?? (this.#open.size < MAX_CONNECTIONS ? this.#new() : undefined)
    if (connection === undefined)
      return { sentAtMs, doneAtMs: null, text: null, problem: 'no connection is left' }
    try {
      const text = await connection.ask(request)
      const doneAtMs = monotonicMs()
      if (this.#open.has(connection)) this.#idle.push(connection)
      return { sentAtMs, doneAtMs, text, problem: null }
    } catch (error) {
      return { sentAtMs, doneAtMs: monotonicMs(), text: null, problem: String(error) }
    }
  }

  close(): void {
    for (const { socket } of this.#open) socket.destroy()
  }

  #new(): Connection {
    const connection = new Connection(connect({ port: this.#port, host: '127.0.0.1', noDelay: true }))
    this.#open.add(connection)
    connection.socket.once('close', () => {
      this.#open.delete(connection)
      const at = this.#idle.indexOf(connection)
      if (at >= 0) this.#idle.splice(at, 1)
    })
    return connection
  }
}

class Connection {
  readonly socket: Socket
  #text = ''
  #waiting: PromiseWithResolvers<string> | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes) => {
      this.#text += bytes.toString('latin1')
      const length = wholeLength(this.#text)
      if (length === undefined) return
      const text = this.#text
      this.#text = ''
      this.#settle()?.resolve(text)
    })
    socket.on('error', (error) => this.#settle()?.reject(error))
    socket.on('close', () => this.#settle()?.reject(new Error('closed')))
  }

  ask(request: Buffer): Promise<string> {
    this.#waiting = Promise.withResolvers<string>()
    this.socket.write(request)
    return this.#waiting.promise
  }

  #settle(): PromiseWithResolvers<string> | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }
}

/** Answers are ASCII here, so characters are bytes. */
function wholeLength(text: string): number | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, headEnd))
  const whole = headEnd + 4 + Number(length?.[1] ?? 0)
  return text.length >= whole ? whole : undefined
}

const NO_ANSWER = {
  doneAtMs: null,
  status: 0,
  isPlain: false,
  key: null,
  score: null,
  source: null,
  model: null,
  reason: null,
  pool: null,
} as const

function toAnswered({ sentAtMs, doneAtMs, text, problem }: Heard): Answered {
  if (text === null) return { ...NO_ANSWER, sentAtMs, doneAtMs, problem }
  const headEnd = text.indexOf('\r\n\r\n')
  const isPlain = PLAIN_LINE.test(text.slice(0, headEnd))
  return { ...partsOf(text, headEnd), sentAtMs, doneAtMs, isPlain }
}

/** Node writes `Connection` and `Keep-Alive`. */
const PLAIN_LINE = /\r\nconnection: /

function partsOf(text: string, headEnd: number): Omit<Answered, keyof Timed | 'isPlain'> {
  const status = Number(text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
  const body = JSON.parse(text.slice(headEnd + 4))
  if (status !== 200) return { ...NO_ANSWER, status, problem: String(body.code) }
  const { key = null, score = null, source = null, model = null, reason = null } = body.answers?.[0] ?? body
  const answer = { status, key, score, source, model, reason, pool: body.pool?.source ?? null, problem: null }
  return body.pool === undefined ? answer : { ...answer, reason: body.reason ?? reason }
}

if (process.send !== undefined) {
  const [order] = (await once(process, 'message')) as [LoadOrder]
  const report = await generate(order)
  process.send(report, () => process.disconnect())
}
