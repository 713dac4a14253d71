import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, writeJson } from './json-file.ts'

export const SERVER_NAMES = ['kafka', 'elasticsearch', 'redis', 's3'] as const
export type ServerName = (typeof SERVER_NAMES)[number]

/**
 * Where `freshet up` put the backing services. Written when all of them answer; when one has
 * died it says where it was. Removed by `freshet down`, or when an `up` has failed and none of them runs.
 */
export interface Services {
  readonly version: 1
  readonly mode: 'docker' | 'native'
  readonly startedAtMs: number
  readonly kafka: { readonly brokers: readonly string[] }
  readonly elasticsearch: { readonly url: string }
  readonly redis: { readonly url: string }
  readonly s3: {
    readonly endpoint: string
    readonly region: string
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly bucket: string
  }
  readonly processes: readonly ServerProcess[]
}

/** One running server: a process of this machine, or a container. */
export type ServerProcess = NativeProcess | ContainerProcess

export interface NativeProcess {
  readonly name: ServerName
  /** Also the number of its process group. */
  readonly pid: number
  /** Tells this process from a later one with the same pid: see process-identity.ts. */
  readonly startedAt: string
  readonly containerId?: undefined
  readonly port: number
  /** Below the home, or below /var/lib/freshet when the server's user cannot reach the home. */
  readonly dataDir: string
  readonly logFile: string
}

export interface ContainerProcess {
  readonly name: ServerName
  readonly pid?: undefined
  readonly startedAt: string
  readonly containerId: string
  readonly port: number
}

/** undefined when nothing is up, or what is there was written by another version. */
export function readServices(home: string): Services | undefined {
  const services = readJson(servicesPath(home)) as Services | undefined
  return services?.version === 1 ? services : undefined
}

export function writeServices(home: string, services: Services): void {
  writeJson(servicesPath(home), services)
}

export function removeServices(home: string): void {
  rmSync(servicesPath(home), { force: true })
}

/** The addresses as Freshet's settings; `loadSettings` takes them as its weakest source. */
export function servicesAsSettings({ kafka, elasticsearch, redis, s3 }: Services): Record<string, unknown> {
  return { kafka: { ...kafka }, elasticsearch: { ...elasticsearch }, redis: { ...redis }, s3: { ...s3 } }
}

function servicesPath(home: string): string {
  return join(home, 'services.json')
}
