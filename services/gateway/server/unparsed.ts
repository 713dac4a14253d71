import type { RequestListener, Server } from 'node:http'
import type { Socket } from 'node:net'
import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { problemReply } from '../problem-reply.ts'
import { type Reply, responseOf } from '../reply.ts'
import type { RequestsInHand } from './requests-in-hand.ts'
import { CLOSE_LINES, wireText } from './wire-text.ts'
import { writeReply } from './write-reply.ts'

/**
 * What is no request, told as the problem that it would be had it come as far as the app. Where an earlier request of the
 * connection is not answered yet nothing is said, since it would be taken for that one's answer: those in hand are answered,
 * and then the connection is closed.
 */
export function answerUnparsed(
  server: Server,
  inHand: Pick<RequestsInHand, 'of' | 'areWhole' | 'whenNoneOf'>,
): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
    else if (inHand.of(socket) === 0) write(socket, problemReply(faultOf(error)))
    else if (inHand.areWhole(socket)) closeAfterAnswers(socket, inHand)
    else socket.destroy() // the nonsense is the body of one in hand
  })
  // A caller may expect whatever it likes: what we do not know we do not promise, and answer all the same.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response))
}

/** No answer takes longer; a caller that does not read is not waited for. */
const ANSWERED_WITHIN_MS = 10_000

function closeAfterAnswers(socket: Socket, inHand: Pick<RequestsInHand, 'whenNoneOf'>): void {
  socket.pause() // what else it sends is not read
  const late = setTimeout(() => socket.destroy(), ANSWERED_WITHIN_MS)
  socket.once('close', () => clearTimeout(late))
  inHand.whenNoneOf(socket, () => socket.destroySoon())
}

/** HTTP/1.1 wants every request to name its host. Node would say so with a bare 400: `requireHostHeader` is put off for this. */
export function refuseWithoutHost(listener: RequestListener): RequestListener {
  return (request, response) => {
    if (request.headers.host !== undefined || request.httpVersion !== '1.1')
      return listener(request, response)
    response.shouldKeepAlive = false
    writeReply(response, problemReply(new FreshetError('REQUEST_INVALID', 'the header host is missing')))
  }
}

/** For a request whose address or host is none: it is refused before the app sees it. */
export function refuseUnparsed(error: unknown): Response {
  const isCallers = error instanceof Error && error.name === 'RequestError'
  return responseOf(
    problemReply(isCallers ? new FreshetError('REQUEST_INVALID', error.message) : toFreshetError(error)),
  )
}

function faultOf({ code }: NodeJS.ErrnoException): FreshetError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new FreshetError('HEADERS_TOO_LARGE', 'the headers are larger than 16 KiB')
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new FreshetError('REQUEST_TOO_LARGE', 'the extensions of the chunks are too large')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new FreshetError('DEADLINE', 'the request was not all there in time')
    default:
      return new FreshetError('REQUEST_INVALID', `this is no HTTP request (${code})`)
  }
}

function write(socket: Socket, reply: Reply): void {
  const { text, encoding } = wireText(reply, CLOSE_LINES)
  socket.end(text, encoding)
}
