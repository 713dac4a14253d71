import { hostname } from 'node:os'

/** Unique among living processes of all machines, e.g. `scorer-box1-4711`. */
export function instanceName(service: string, processId: number | undefined = process.pid): string {
  return `${service}-${hostname()}-${processId}`
}
