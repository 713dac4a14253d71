import type { AlertMessage } from '@freshet/records/alert-state.ts'

/** A way to people. */
export interface AlertRoute {
  /**
   * Resolves when the message needs no more telling, however long that takes, or when `signal` aborts.
   * @param turn asked right before each attempt, retries included
   */
  deliver(message: AlertMessage, signal: AbortSignal, turn?: Turn): Promise<Ending>
}

/**
 * How a delivery ended.
 * - `told`: people have it
 * - `given up`: nobody will; that was counted and said
 * - `untold`: it is still to be told
 * - `in doubt`: it is still to be told, and people may have it: a stop came while it was on its way
 */
export type Ending = 'told' | 'given up' | 'untold' | 'in doubt'

/**
 * Whether it is still this watchdog's turn to speak: a process that slept may wake up when another one has long taken
 * over, and no signal has reached it yet. Where it says no, `deliver` resolves to `untold` without a further attempt.
 */
export type Turn = () => boolean
