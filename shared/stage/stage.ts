/** The one lifecycle: run once, end by signal. A crash and a stop take the same way out. */
export interface Stage extends AsyncDisposable {
  readonly name: string
  /** Works until `signal` aborts; then finishes what it holds, commits, and resolves. Rejects when it cannot go on. */
  run(signal: AbortSignal): Promise<void>
  /** Units of work done since the start. Standing still while work waits is a stall. */
  progress(): number
}
