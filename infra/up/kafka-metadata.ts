import { askOverTcp } from './ask-over-tcp.ts'

const METADATA = 3
const VERSION = 1
const CLIENT = 'freshet-up'
/** Far above what one broker and no topics take: a length beyond it is not Kafka's. */
const MAX_ANSWER_BYTES = 65_536

/** Asks for metadata without topics: a broker that names brokers and a controller takes work. */
export async function answersMetadata(port: number, signal: AbortSignal): Promise<boolean> {
  return (await askOverTcp(port, encodeMetadataRequest(), readAnswer, signal)) ?? false
}

/** undefined while bytes are missing. */
function readAnswer(answer: Buffer): boolean | undefined {
  if (answer.length < 4) return undefined
  const bytes = answer.readInt32BE(0)
  if (bytes < 0 || bytes > MAX_ANSWER_BYTES) return false
  return answer.length < 4 + bytes ? undefined : hasController(answer.subarray(4, 4 + bytes))
}

/**
 * RequestOrResponse => size int32, then
 * Header v1 => api_key int16, api_version int16, correlation_id int32, client_id nullable string;
 * Metadata v1 => [topics] (an empty array asks for none).
 */
export function encodeMetadataRequest(): Buffer {
  const body = Buffer.alloc(2 + 2 + 4 + 2 + CLIENT.length + 4)
  body.writeInt16BE(METADATA, 0)
  body.writeInt16BE(VERSION, 2)
  body.writeInt32BE(1, 4)
  body.writeInt16BE(CLIENT.length, 8)
  body.write(CLIENT, 10)
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

/**
 * Metadata v1 => correlation_id int32, [brokers], controller_id int32, [topics];
 * broker => node_id int32, host string, port int32, rack nullable string.
 */
export function hasController(answer: Buffer): boolean {
  const brokers = answer.readInt32BE(4)
  let at = 8
  for (let broker = 0; broker < brokers; broker++) {
    at += 4
    at += 2 + answer.readInt16BE(at)
    at += 4
    at += 2 + Math.max(0, answer.readInt16BE(at))
  }
  return brokers > 0 && answer.readInt32BE(at) >= 0
}
