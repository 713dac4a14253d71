import { createRequire } from 'node:module'
import { FreshetError } from '@freshet/errors/errors.ts'
import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { toKafkaError } from './kafka-error.ts'

const { KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded, KafkaJSNonRetriableError } = kafkajs
const { KafkaJSAggregateError, KafkaJSProtocolError } = kafkajs

const saslFailure = Object.assign(new KafkaJSNonRetriableError('no'), {
  name: 'KafkaJSSASLAuthenticationError',
})

/** As kafkajs makes them from a broker's answer. */
function protocolError(type: string, retriable = false) {
  return new KafkaJSProtocolError(
    Object.assign(new Error(`the server says ${type}`), { type, code: 1, retriable }),
  )
}

test.each([
  ['no broker listens', new KafkaJSConnectionError('refused', { code: 'ECONNREFUSED' }), 'KAFKA_UNREACHABLE'],
  ['a wrong password', saslFailure, 'KAFKA_UNAUTHORIZED'],
  ['no right to a topic', protocolError('TOPIC_AUTHORIZATION_FAILED'), 'KAFKA_UNAUTHORIZED'],
  ['an unknown topic', protocolError('UNKNOWN_TOPIC_OR_PARTITION', true), 'TOPIC_MISSING'],
  ['a message too large', protocolError('MESSAGE_TOO_LARGE'), 'KAFKA_MESSAGE_TOO_LARGE'],
  ['a rebalance', protocolError('REBALANCE_IN_PROGRESS'), 'KAFKA_STALE'],
  ['a leader that moves', protocolError('NOT_LEADER_FOR_PARTITION', true), 'KAFKA_UNREACHABLE'],
  ['a refusal not known here', protocolError('INVALID_REPLICATION_FACTOR'), 'KAFKA_REFUSED'],
  ['a TypeError', new TypeError('x of undefined'), 'BUG'],
])('%s has a code', (_, error, code) => {
  expect(toKafkaError(error, 'doing it').code).toBe(code)
})

test('a broker that took the connection and never answered is unreachable, in kafkajs’s own words', async () => {
  const Broker = createRequire(import.meta.url)('kafkajs/src/broker/index.js')
  const logger = { namespace: () => ({}) }
  const broker = new Broker({ connectionPool: { connectionTimeout: 1 }, logger })
  const asked: Promise<unknown> = broker.metadata([])
  const error = await asked.catch((cause: unknown) => toKafkaError(cause, 'looking'))
  expect(error).toMatchObject({ code: 'KAFKA_UNREACHABLE', message: 'looking: Broker not connected' })
})

test('the telling error is found inside kafkajs’s wrappers, and kept as the cause', () => {
  const told = protocolError('MESSAGE_TOO_LARGE')
  const metadata = { retryCount: 1, retryTime: 1 }
  const wrapped = new KafkaJSNumberOfRetriesExceeded(told, metadata)
  expect(toKafkaError(wrapped, 'sending')).toMatchObject({ code: 'KAFKA_MESSAGE_TOO_LARGE', cause: wrapped })
  const aggregate = new KafkaJSAggregateError('several', [protocolError('POLICY_VIOLATION')])
  const twice = Object.assign(new KafkaJSNonRetriableError(aggregate), { cause: aggregate })
  expect(toKafkaError(twice, 'creating').code).toBe('KAFKA_REFUSED')
})

test('an error of ours passes through, also from within kafkajs', () => {
  const ours = new FreshetError('TOPIC_POLICY', 'wrong')
  expect(toKafkaError(ours, 'checking')).toBe(ours)
  const wrapped = Object.assign(new KafkaJSNonRetriableError(ours), { cause: ours })
  expect(toKafkaError(wrapped, 'checking').code).toBe('TOPIC_POLICY')
})
