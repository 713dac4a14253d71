import type { Settings } from '@freshet/config/schema.ts'
import { type Clock, systemClock } from '@freshet/stage/clock.ts'
import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'
import type { LogFormat } from './log-line.ts'
import { Logger } from './logger.ts'
import { Metrics } from './metrics.ts'
import { describeResource } from './resource.ts'
import type { Telemetry } from './telemetry.ts'

export interface TelemetryOptions {
  readonly settings: Settings
  /** e.g. `scorer`. */
  readonly service: string
  /** Unique among living processes, e.g. `scorer-4711`. */
  readonly instance: string
  readonly clock?: Clock
  /** `pretty` for a terminal, `json` for everything else. */
  readonly format: LogFormat
}

/** What a service tells the world with: log, tracer, metrics. Never throws for a telemetry server that is away. */
export function openTelemetry({ settings, service, instance, clock, format }: TelemetryOptions): Telemetry {
  const resource = describeResource(service, instance)
  const metrics = new Metrics()
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const provider = new BasicTracerProvider({ resource })
  const log = new Logger({ level: settings.telemetry.logLevel, format, service, clock: clock ?? systemClock })
  return {
    log,
    metrics,
    tracer: provider.getTracer(`freshet.${service}`),
    async [Symbol.asyncDispose]() {
      await provider.shutdown()
    },
  }
}
