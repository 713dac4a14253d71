export interface DownOptions {
  readonly home: string
  /** Also removes the data, the logs and everything else below `home`. */
  readonly purge?: boolean
  /** Takes one line of progress. */
  readonly report: (line: string) => void
}

/** Stops what `up` started here, and only that; also after a crash. Data is kept unless `purge`. */
export async function down(_options: DownOptions): Promise<void> {
  throw new Error('not yet')
}
