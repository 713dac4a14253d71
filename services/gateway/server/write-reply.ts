import { Buffer } from 'node:buffer'
import type { ServerResponse } from 'node:http'
import type { Reply } from '../reply.ts'

/** For what is refused before it comes to the app. */
export function writeReply(response: ServerResponse, { status, headers, ownHeaders, text }: Reply): void {
  const length = Buffer.byteLength(text ?? '')
  const lines = Object.entries({ 'content-length': `${length}`, ...headers }).flat()
  response.writeHead(status, ownHeaders === undefined ? lines : [...lines, ...ownHeaders])
  response.end(text ?? '')
}
