import { FreshetError } from '@freshet/errors/errors.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import type { Log } from '@freshet/stage/log.ts'
import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'
import { expect, test } from 'vitest'
import type { LogFormat } from './log-line.ts'
import type { LogLevel } from './log-record.ts'
import { Logger } from './logger.ts'

const clock = handClock(Date.UTC(2026, 1, 3, 10, 4, 7))

function logger(format: LogFormat, level: LogLevel = 'info') {
  const lines: string[] = []
  return {
    lines,
    log: new Logger({ level, format, service: 'scorer', clock, write: (line) => lines.push(line) }),
  }
}

test('a person reads time, level, message and details on one line', () => {
  const { log, lines } = logger('pretty')
  log.warn('lag is\nrising', { 'freshet.stage': 'infer', 'exception.message': 'two words' })
  expect(lines).toEqual(['10:04:07 WARN  lag is rising  freshet.stage=infer  exception.message="two words"'])
})

test('a machine reads one JSON object a line', () => {
  const { log, lines } = logger('json')
  log.info('started', { 'freshet.rows': 3 })
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      '@timestamp': '2026-02-03T10:04:07.000Z',
      level: 'info',
      service: 'scorer',
      message: 'started',
      'freshet.rows': 3,
    },
  ])
})

test('an error shows its code and what to do, and its stack only to who debugs', () => {
  const error = new FreshetError('REDIS_UNREACHABLE', 'no answer')
  const plain = logger('json')
  plain.log.error('cannot write', error)
  expect(JSON.parse(plain.lines[0]!)).toMatchObject({
    'error.type': 'REDIS_UNREACHABLE',
    'exception.message': 'no answer',
    'freshet.hint': error.hint,
  })
  expect(plain.lines[0]).not.toContain('stack')
  const debugging = logger('json', 'debug')
  debugging.log.error('cannot write', error)
  expect(JSON.parse(debugging.lines[0]!)['exception.stacktrace']).toContain('logger.test.ts')
})

test('attributes in the place of the error do not compile: they would be told as a bug', () => {
  const { log, lines } = logger('json')
  const narrow: Log = log
  // @ts-expect-error: that it does not compile is what is tested
  narrow.error('cannot write', { 'error.type': 'REDIS_UNREACHABLE' })
  expect(lines[0]).toContain('"error.type":"BUG"')
})

test('lines below telemetry.logLevel are not written', () => {
  const { log, lines } = logger('json', 'warn')
  log.debug('a')
  log.info('b')
  log.warn('c')
  expect(lines).toHaveLength(1)
})

test('a line carries the trace in which it was said', () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const { log, lines } = logger('json')
  const span = new BasicTracerProvider().getTracer('test').startSpan('work')
  context.with(trace.setSpan(context.active(), span), () => log.info('inside'))
  const { traceId, spanId } = span.spanContext()
  expect(JSON.parse(lines[0]!)).toMatchObject({ trace_id: traceId, span_id: spanId })
})
