import { Buffer } from 'node:buffer'
import type { Encoded } from './produce-request.ts'

interface FramedRequest {
  readonly correlationId: number
  readonly clientId: string
  readonly request: { readonly apiKey: number; readonly apiVersion: number; encode(): Promise<Encoded> }
}

const HEAD_BYTES = 14

/**
 * In the place of kafkajs's own, which copies the body twice: length i32 of what follows, api key i16, api version i16,
 * correlation id i32, client id string, body.
 */
export async function frameRequest({ correlationId, clientId, request }: FramedRequest): Promise<Encoded> {
  const body = await request.encode()
  const name = Buffer.from(clientId)
  const buffer = Buffer.allocUnsafe(HEAD_BYTES + name.length + body.size())
  let at = buffer.writeInt32BE(buffer.length - 4, 0)
  at = buffer.writeInt16BE(request.apiKey, at)
  at = buffer.writeInt16BE(request.apiVersion, at)
  at = buffer.writeInt32BE(correlationId, at)
  at = buffer.writeInt16BE(name.length, at)
  at += name.copy(buffer, at)
  body.buffer.copy(buffer, at)
  return { buffer, size: () => buffer.length }
}
