import { connect as connectTcp, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { clientLog } from './client-log.ts'
import { guardIdleTimer } from './idle-timer.ts'
import { toKafkaError } from './kafka-error.ts'
import { type Admin, type ISocketFactoryArgs, Kafka, type KafkaConfig, logLevel } from './kafkajs.ts'
import { quit } from './quit.ts'

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

/**
 * Does `work` with an administrator's client of its own, and ends it.
 * @throws DEADLINE as soon as `signal` aborts; KAFKA_UNREACHABLE after `ADMIN_DEADLINE_MS`, or where the time of `signal`
 *   is over before a broker has answered at all; and what the brokers answer, translated
 */
export async function withAdmin<T>(
  connection: KafkaConnection,
  { doing, signal }: { doing: string; signal: AbortSignal },
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw stopped(doing, signal)
  const done = new AbortController()
  const admin = connection.newClient({ over: done.signal }).admin()
  let isConnected = false
  const late = systemClock.sleep(ADMIN_DEADLINE_MS, AbortSignal.any([signal, done.signal])).then(() => {
    if (signal.aborted && (isConnected || !isLate(signal))) throw stopped(doing, signal)
    if (signal.aborted)
      throw new FreshetError('KAFKA_UNREACHABLE', `${doing}: the time was over before a broker answered`)
    throw new FreshetError('KAFKA_UNREACHABLE', `${doing}: no answer within ${ADMIN_DEADLINE_MS / 1_000} s`)
  })
  late.catch(() => {}) // told by the race below; it must not count as unhandled when the work wins
  try {
    const working = async () => {
      await admin.connect()
      isConnected = true
      return await work(admin)
    }
    return await Promise.race([working(), late])
  } catch (error) {
    throw toKafkaError(error, doing)
  } finally {
    done.abort()
    await quit(admin, isConnected ? 2_000 : 100) // one that never got through has nothing to end orderly
  }
}

const ADMIN_DEADLINE_MS = 30_000

function stopped(doing: string, signal: AbortSignal): FreshetError {
  const why = isLate(signal) ? 'the time is over' : 'the caller stopped'
  return new FreshetError('DEADLINE', `${doing}: ${why}`)
}

/** Whether it was a deadline that aborted it. */
function isLate({ reason }: AbortSignal): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
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
    : connectTcp({ host, port }, onConnect)
  return socket.setKeepAlive(true, 10_000).setNoDelay(true)
}
