/**
 * What was started, one small file each, written the moment it starts: `down` finds it even when `up` was killed
 * before it could write services.json.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, writeJson } from './json-file.ts'
import { type NativeProcess, SERVER_NAMES, type ServerName } from './services-file.ts'

/** A Compose project of this home, and the ports it was given. Kept while its volumes are. */
export interface ProjectRecord {
  readonly running: boolean
  readonly project: string
  readonly ports: Readonly<Record<ServerName, number>>
}

/** Where a server last answered. Outlives its process, failed starts and `down`, so that it comes back there. */
export interface PortsRecord {
  readonly client: number
  readonly inner?: number
}

export function readProcessRecord(home: string, name: ServerName): NativeProcess | undefined {
  return readJson(recordPath(home, name)) as NativeProcess | undefined
}

export function readProcessRecords(home: string): readonly NativeProcess[] {
  return SERVER_NAMES.flatMap((name) => readProcessRecord(home, name) ?? [])
}

export function writeProcessRecord(home: string, record: NativeProcess): void {
  writeJson(recordPath(home, record.name), record)
}

export function readPorts(home: string, name: ServerName): PortsRecord | undefined {
  return readJson(recordPath(home, `${name}.ports`)) as PortsRecord | undefined
}

export function writePorts(home: string, name: ServerName, ports: PortsRecord): void {
  writeJson(recordPath(home, `${name}.ports`), ports)
}

export function readProjectRecord(home: string): ProjectRecord | undefined {
  return readJson(recordPath(home, 'docker')) as ProjectRecord | undefined
}

export function writeProjectRecord(home: string, record: ProjectRecord): void {
  writeJson(recordPath(home, 'docker'), record)
}

export function removeRecord(home: string, name: ServerName | 'docker'): void {
  rmSync(recordPath(home, name), { force: true })
}

function recordPath(home: string, name: ServerName | `${ServerName}.ports` | 'docker'): string {
  return join(home, 'run', `${name}.json`)
}
