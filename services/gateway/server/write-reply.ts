import { Buffer } from 'node:buffer'
import type { ServerResponse } from 'node:http'
import type { Reply } from '../reply.ts'

/** For what is refused before it comes to the app. */
export function writeReply(response: ServerResponse, { status, headers, text }: Reply): void {
  const length = Buffer.byteLength(text ?? '')
  response.writeHead(status, Object.entries({ 'content-length': `${length}`, ...headers }).flat())
  response.end(text ?? '')
}
