import type { Service } from '@freshet/service/service.ts'

/** The services by name. Each is loaded only in the process that runs it. */
export const SERVICES = {
  poller: async () => (await import('@freshet/poller/main.ts')).poller,
  scorer: async () => (await import('@freshet/scorer/main.ts')).scorer,
  gateway: async () => (await import('@freshet/gateway/main.ts')).gateway,
  watchdog: async () => (await import('@freshet/watchdog/main.ts')).watchdog,
} as const satisfies Record<string, () => Promise<Service>>

export type ServiceName = keyof typeof SERVICES
export const SERVICE_NAMES = Object.keys(SERVICES) as readonly ServiceName[]

export function isServiceName(name: string): name is ServiceName {
  return Object.hasOwn(SERVICES, name)
}
