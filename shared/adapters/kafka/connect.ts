import { Buffer } from 'node:buffer'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { clientLog } from './kafkajs/client-log.ts'
import { guardStreams } from './kafkajs/fresh-stream.ts'
import { guardIdleTimer } from './kafkajs/idle-timer.ts'
import { type Admin, type ISocketFactoryArgs, Kafka, type KafkaConfig, logLevel } from './kafkajs/kafkajs.ts'
import { type Doing, KeptAdmin } from './kafkajs/kept-admin.ts'
import { guardMetadata } from './kafkajs/metadata-answer.ts'

/** Where the brokers are and how to speak to them; opaque to all but this folder. Opens no socket by itself. */
export interface KafkaConnection {
  readonly settings: Settings['kafka']
  readonly clientId: string
  readonly log: Log
  /** A client of its own for each producer, consumer and admin: consumers of one client share offset caches. */
  newClient(options?: ClientOptions): Kafka
}

interface ClientOptions {
  /** Aborts when its owner needs the client no more: what kafkajs complains of then is only told as debug. */
  readonly over?: AbortSignal
}

/** Given whole, since kafkajs has other defaults when NODE_ENV is `test`. */
export const RETRY = {
  retries: 5,
  initialRetryTime: 200,
  maxRetryTime: 1_000,
  factor: 0,
  multiplier: 2,
} as const

/** @throws CONFIG_INVALID for a user without a password, or a password without a user */
export function connectKafka(
  settings: Settings['kafka'],
  { clientId, log }: { clientId: string; log: Log },
): KafkaConnection {
  const sasl = saslOf(settings)
  guardIdleTimer()
  guardStreams()
  guardMetadata()
  const say = clientLog(log, systemClock)
  const config: Omit<KafkaConfig, 'logCreator'> = {
    clientId,
    brokers: settings.brokers,
    ssl: settings.tls,
    ...sasl,
    connectionTimeout: 1_000,
    requestTimeout: 10_000,
    retry: RETRY,
    socketFactory: openSocket,
    logLevel: logLevel.INFO,
  }
  const newClient = ({ over }: ClientOptions = {}) => new Kafka({ ...config, logCreator: say(over) })
  return { settings, clientId, log, newClient }
}

/** Does `work` with an administrator's client of its own, and ends it. @throws as `KeptAdmin.do` does */
export async function withAdmin<T>(
  connection: KafkaConnection,
  what: Doing,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  await using admin = new KeptAdmin(connection)
  return await admin.do(what, work)
}

function saslOf({ user, password, saslMechanism }: Settings['kafka']): Pick<KafkaConfig, 'sasl'> {
  if (user === undefined && password === undefined) return {}
  if (user === undefined || password === undefined)
    throw new FreshetError(
      'CONFIG_INVALID',
      user === undefined
        ? 'kafka.password is set without kafka.user'
        : 'kafka.user is set without kafka.password',
    )
  return { sasl: { mechanism: saslMechanism, username: user, password } as NonNullable<KafkaConfig['sasl']> }
}

/** Keep-alive finds a peer that vanished; without delay, since each request waits for the one before. */
function openSocket({ host, port, ssl, onConnect }: ISocketFactoryArgs) {
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : openPlain({ host, port }, onConnect)
  return socket.setKeepAlive(true, 10_000).setNoDelay(true)
}

/** All sockets read into the same memory: what is read has been copied (fresh-stream.ts) before the next one reads. */
const READ_INTO = Buffer.allocUnsafeSlow(256 * 1024)

function openPlain(where: { readonly host: string; readonly port: number }, onConnect: () => void): Socket {
  const callback = (bytes: number) => socket.emit('data', READ_INTO.subarray(0, bytes))
  const socket: Socket = connectTcp({ ...where, onread: { buffer: READ_INTO, callback } }, onConnect)
  return socket
}
