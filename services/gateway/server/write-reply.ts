import { Buffer } from 'node:buffer'
import type { ServerResponse } from 'node:http'
import type { Reply } from '../reply.ts'

/** Whole: what a caller has not read yet is kept by the socket, as of any answer. */
export function writeReply(response: ServerResponse, { status, headers, text }: Reply): void {
  const lines = ['content-length', String(Buffer.byteLength(text ?? ''))]
  for (const name in headers) lines.push(name, headers[name]!)
  response.writeHead(status, lines)
  response.end(text ?? '')
}
