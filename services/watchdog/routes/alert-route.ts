import type { AlertMessage } from '@freshet/records/alert-state.ts'

/** A way to people. */
export interface AlertRoute {
  /**
   * Resolves when the message needs no more telling, however long that takes, or when `signal` aborts.
   * @param turn asked right before each attempt, retries included
   * @returns true when people have it, or it was given up and that was counted and said; false: it is still to be told
   */
  deliver(message: AlertMessage, signal: AbortSignal, turn?: Turn): Promise<boolean>
}

/**
 * Whether it is still this watchdog's turn to speak: a process that slept may wake up when another one has long taken
 * over, and no signal has reached it yet. Where it says no, `deliver` resolves to false without a further attempt.
 */
export type Turn = () => boolean
