import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { FreshetError } from '@freshet/errors/errors.ts'
import { problemReply } from '../../problem-reply.ts'
import type { Reply } from '../../reply.ts'
import type { Serve } from '../../routes/serve.ts'
import type { Intake } from '../intake.ts'
import type { RequestsInHand } from '../requests-in-hand.ts'
import { whenLate } from '../waits.ts'
import { CLOSE_LINES, wireText } from '../wire-text.ts'
import { type PlainRequest, readPlain } from './plain-request.ts'
import type { WritesOfATurn } from './writes-of-a-turn.ts'

export type PlainRoutes = Readonly<Record<PlainRequest['route'], Serve>>

/** What answers plain requests. */
export interface PlainParts {
  readonly routes: PlainRoutes
  readonly intake: Pick<Intake, 'admit' | 'arrivedAtMs' | 'holdsSince'>
}

/** What a connection needs of the server that it belongs to. */
export interface PlainHome {
  readonly parts: PlainParts
  readonly inHand: Pick<RequestsInHand, 'begin' | 'end'>
  readonly writes: Pick<WritesOfATurn, 'add' | 'flush'>
  /** What an answer says of the connection, as whole lines. */
  readonly keepAliveLines: string
  /** What is not whole by then is not plain. */
  readonly restWithinMs: number
  /** From then on nothing is plain. */
  readonly isStopping: boolean
  /** Gives node:http a connection on which nothing is in hand; what it has sent and nobody has read is in the socket. */
  handOver(connection: PlainConnection, socket: Socket): void
  forget(connection: PlainConnection): void
}

const NO_BYTES = Buffer.alloc(0)
/** Of headers, for as long as a connection lasts. */
const MAX_KEPT_CHARACTERS = 1_024

/**
 * A connection for as long as its caller asks for plain things, one after the other. The first request that is another, or
 * that does not wait for the answer to the one before, or comes in pieces, goes to node:http with the connection.
 */
export class PlainConnection {
  readonly #socket: Socket
  readonly #home: PlainHome
  /** The beginning of a request. */
  #bytes: Buffer = NO_BYTES
  /** When the first came of what has come and is not taken yet; undefined where nothing has to wait. */
  #sinceMs: number | undefined
  #late: NodeJS.Timeout | undefined
  #headers: PlainRequest['headers'] | undefined
  #isAnswering = false
  #isEnded = false
  /** How often it was looked at since it was last asked. */
  looksUnused = 0
  /** Whether it has ever been asked anything. */
  isUsed = false

  constructor(socket: Socket, home: PlainHome) {
    this.#socket = socket
    this.#home = home
    socket
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('error', this.#onError)
      .on('close', this.#onClose)
  }

  get isIdle(): boolean {
    return !this.#isAnswering && this.#bytes.length === 0
  }

  /** Whether it is closed as soon as its caller has read what was answered. */
  get isEnding(): boolean {
    return this.#socket.writableEnded
  }

  /** What is answered is sent before. */
  close(): void {
    this.#home.writes.flush()
    if (!this.isEnding) this.#socket.destroySoon()
  }

  /** Waits for nobody. */
  destroy(): void {
    this.#home.writes.flush()
    this.#socket.destroy()
  }

  readonly #onData = (chunk: Buffer) => {
    if (this.#isAnswering) return this.#keepForLater(chunk)
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    // A caller that does not read its answers is node:http's to bound.
    const isOthers = this.#home.isStopping || this.#socket.writableNeedDrain
    const request = isOthers ? 'other' : readPlain(this.#bytes, this.#headers)
    if (request === 'other') this.#handOver()
    else if (request === 'unfinished') this.#waitForRest()
    else this.#take(request)
  }

  #waitForRest(): void {
    this.#sinceMs ??= this.#home.parts.intake.arrivedAtMs()
    this.#late ??= whenLate(this.#home.restWithinMs, this.#onLate)
  }

  readonly #onLate = () => {
    if (this.#late !== undefined) this.#handOver()
  }

  #take(request: PlainRequest): void {
    const bytes = this.#bytes
    const sinceMs = this.#sinceMs
    this.#bytes = NO_BYTES
    this.#sinceMs = undefined
    this.#headers = request.headers.lines.length > MAX_KEPT_CHARACTERS ? undefined : request.headers
    this.#forgetLate()
    this.looksUnused = 0
    this.isUsed = true
    this.#isAnswering = true
    if (bytes.length > request.byteLength) this.#keepForLater(bytes.subarray(request.byteLength))
    this.#home.inHand.begin()
    this.#serve(request, sinceMs)
  }

  #serve(request: PlainRequest, sinceMs: number | undefined): void {
    const { intake, routes } = this.#home.parts
    const { method, url, wholeBody } = request
    const admitted = intake.admit({ method, url, bodyBytes: wholeBody.length }, sinceMs)
    const reply = typeof admitted === 'number' ? routes[request.route](request, admitted) : admitted
    if (reply instanceof Promise) void reply.then((reply) => this.#answer(reply))
    else this.#answer(reply)
  }

  /** Back into the socket, where it stays in front of all that is to come, and of the end. */
  #keepForLater(bytes: Buffer): void {
    this.#sinceMs ??= this.#home.parts.intake.arrivedAtMs()
    this.#socket.pause()
    this.#socket.unshift(bytes)
  }

  #answer(reply: Reply): void {
    if (!this.#isAnswering) return // its caller has hung up
    this.#isAnswering = false
    this.#home.inHand.end()
    this.#home.writes.add(this.#socket, wireText(reply, this.#home.keepAliveLines))
    if (this.#isEnded) this.close()
    // It has sent more than it was answered.
    else if (this.#socket.isPaused()) this.#handOver()
  }

  #handOver(): void {
    this.#forgetLate()
    this.#home.writes.flush()
    const socket = this.#socket
    socket
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('error', this.#onError)
      .off('close', this.#onClose)
    socket.pause()
    if (this.#bytes.length > 0) socket.unshift(this.#bytes)
    if (this.#sinceMs !== undefined) this.#home.parts.intake.holdsSince(socket, this.#sinceMs)
    this.#home.handOver(this, socket)
    socket.resume()
  }

  /** The caller says no more; it is still told. */
  readonly #onEnd = () => {
    this.#isEnded = true
    this.#forgetLate()
    if (this.#isAnswering) return
    if (this.#bytes.length > 0)
      this.#home.writes.add(this.#socket, wireText(problemReply(BROKEN_OFF), CLOSE_LINES))
    this.#bytes = NO_BYTES
    this.close()
  }

  /** Always followed by its close. */
  readonly #onError = () => undefined

  readonly #onClose = () => {
    this.#forgetLate()
    if (this.#isAnswering) this.#home.inHand.end()
    this.#isAnswering = false
    this.#home.forget(this)
  }

  #forgetLate(): void {
    if (this.#late === undefined) return
    clearTimeout(this.#late)
    this.#late = undefined
  }
}

const BROKEN_OFF = new FreshetError('REQUEST_INVALID', 'the request ends before it is whole')
