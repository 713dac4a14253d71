/** What the chaos suite strikes, and how. */

/** Processes of the pipeline; two scorers share the partitions, and one watchdog stands by for the other. */
export const PROCESSES = ['poller', 'scorer', 'scorer-2', 'gateway', 'watchdog', 'watchdog-2'] as const
export const SERVERS = ['kafka', 'elasticsearch', 'redis', 's3'] as const

export type ProcessTarget = (typeof PROCESSES)[number]
export type ServerTarget = (typeof SERVERS)[number]
export type Target = ProcessTarget | ServerTarget

export const TARGETS: readonly Target[] = [...PROCESSES, ...SERVERS]

/**
 * `kill`: -9, and started again. `freeze`: SIGSTOP, then SIGCONT. `restart`: asked to end, and started again. The others
 * are what the network does between it and all that it speaks with.
 */
export const KINDS = ['kill', 'freeze', 'restart', 'latency', 'bandwidth', 'resets', 'half-open'] as const
export type Kind = (typeof KINDS)[number]

export function isServer(target: Target): target is ServerTarget {
  return (SERVERS as readonly Target[]).includes(target)
}
