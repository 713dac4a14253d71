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

/** One request, by monotonicMs. */
export interface Asked {
  readonly dueAtMs: number
  readonly sentAtMs: number
  /** When the last byte of the answer was there, or the connection broke; null: there was none. */
  readonly doneAtMs: number | null
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

type Answered = Omit<Asked, 'dueAtMs' | 'inPhase'>
type About = Pick<Asked, 'dueAtMs' | 'inPhase'>

/** What came back, not read yet: who reads while he asks is late himself. */
interface Heard extends Pick<Asked, 'sentAtMs' | 'doneAtMs'> {
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
const GET_HEALTH = Buffer.from('GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
const MAX_CONNECTIONS = 4_000
/** After the last request; what has not come by then is lost. */
const PATIENCE_MS = 5_000
/** Standing still for less is how timers are. */
const STALL_MS = 5

async function generate(order: LoadOrder): Promise<LoadReport> {
  const connections = new Connections(order.port)
  await connections.warm()
  process.send!('begins')
  const plain = order.requests.map((text) => Buffer.from(text))
  const ofPhase = new Map(
    (order.phases ?? []).map((phase) => [phase, phase.requests?.map((text) => Buffer.from(text)) ?? plain]),
  )
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
      const requests = (phase && ofPhase.get(phase)) ?? plain
      const request = requests[shuffled(next, requests.length)]!
      const about = { dueAtMs: startMs + atMs, inPhase: phase !== undefined }
      asked.push(connections.ask(request).then((answer) => ({ answer, about })))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  connections.giveUpIn(PATIENCE_MS)
  const heard = await Promise.all(asked)
  const report = { asked: heard.map(({ answer, about }) => ({ ...toAnswered(answer), ...about })), stalls }
  connections.close()
  return report
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

/** Kept alive; a request takes one that is idle, else a new one. */
class Connections {
  readonly #port: number
  readonly #idle: Connection[] = []
  readonly #open = new Set<Connection>()

  constructor(port: number) {
    this.#port = port
  }

  /** Each is asked over once: one that says nothing for two seconds is closed by the gateway. */
  async warm(): Promise<void> {
    const warm = Array.from({ length: WARM_CONNECTIONS }, () => this.#new())
    await Promise.all(warm.map((connection) => connection.ask(GET_HEALTH)))
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

  giveUpIn(ms: number): void {
    setTimeout(() => this.close(), ms).unref()
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
  key: null,
  score: null,
  source: null,
  model: null,
  reason: null,
  pool: null,
} as const

function toAnswered({ sentAtMs, doneAtMs, text, problem }: Heard): Answered {
  if (text === null) return { ...NO_ANSWER, sentAtMs, doneAtMs, problem }
  return { sentAtMs, doneAtMs, ...partsOf(text) }
}

function partsOf(text: string): Omit<Answered, 'sentAtMs' | 'doneAtMs'> {
  const status = Number(text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
  const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))
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
