/** What a service gets from its harness, for services measured inside this process. */
import type { Settings } from '@freshet/config/schema.ts'
import type { StageReport } from '@freshet/service/service.ts'
import { openTelemetry } from '@freshet/telemetry/open.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'

/** The real one, so that traces and counters cost what they cost; only its lines stay out of the way. */
export function openBenchTelemetry(settings: Settings): Telemetry {
  return openTelemetry({
    settings: { ...settings, telemetry: { ...settings.telemetry, logLevel: 'warn' } },
    service: 'bench',
    instance: `bench-${process.pid}`,
    format: 'json',
  })
}

/** Hears only what a figure waits for; what goes wrong is in the log. */
export function reportTo(hear: Partial<StageReport>): StageReport {
  return { progressed() {}, usesModel() {}, failing() {}, running() {}, ...hear }
}
