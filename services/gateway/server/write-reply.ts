import { Buffer } from 'node:buffer'
import type { ServerResponse } from 'node:http'
import type { Reply } from '../reply.ts'

/** Whole and at once: what a caller has not read yet is kept by the socket, as of any answer. */
export function writeReply(response: ServerResponse, { status, headers, text }: Reply): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text ?? '') })
  response.end(text ?? '')
}
