import type { ServerName, Services } from './services-file.ts'

export interface UpOptions {
  /** Folder that keeps data, logs and services.json; `.freshet` in the working directory by default. */
  readonly home: string
  readonly mode: 'auto' | 'docker' | 'native'
  /** Takes one line of progress. */
  readonly report: (line: string) => void
  readonly signal: AbortSignal
  readonly settings?: {
    /** Ports to try first; 0 takes any free one. Default: 9092, 9200, 6379, 9000. */
    readonly ports?: Partial<Record<ServerName, number>>
  }
}

/**
 * Starts what does not run yet and resolves when all four servers answer.
 * When it rejects, nothing that this call started is left running.
 * @throws TOOL_MISSING, DOWNLOAD_FAILED, SERVICE_START_FAILED
 */
export async function up(_options: UpOptions): Promise<Services> {
  throw new Error('not yet')
}
