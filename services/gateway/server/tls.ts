import { readFileSync, statSync } from 'node:fs'
import type { Server } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Log } from '@freshet/stage/log.ts'

interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

const MIN_VERSION = 'TLSv1.2'
const LOOK_EVERY_MS = 10_000

/** Undefined where the gateway speaks plain HTTP, on loopback or behind a proxy. */
export function tlsFiles({ certFile, keyFile }: Settings['gateway']['tls']): TlsFiles | undefined {
  return certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile }
}

/**
 * What a server of node:https wants.
 * @throws CONFIG_INVALID naming the file, when one cannot be read or they do not belong together
 */
export function readTls({ certFile, keyFile }: TlsFiles) {
  const options = {
    cert: readPem('certFile', certFile),
    key: readPem('keyFile', keyFile),
    minVersion: MIN_VERSION,
  } as const
  try {
    createSecureContext(options)
  } catch (cause) {
    throw new FreshetError('CONFIG_INVALID', `gateway.tls: ${(cause as Error).message}`, { cause })
  }
  return options
}

function readPem(setting: keyof TlsFiles, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new FreshetError('CONFIG_INVALID', `gateway.tls.${setting}: cannot read ${path}: ${code}`, {
      cause,
    })
  }
}

/**
 * Takes a renewed certificate for new connections, without a restart. One that cannot be used, such as while only one
 * of both files is there, changes nothing and is told.
 * @returns what ends it
 */
export function followTls(
  server: Server,
  files: TlsFiles,
  { log, everyMs = LOOK_EVERY_MS }: { readonly log: Log; readonly everyMs?: number },
): Disposable {
  let seen = changedAt(files)
  const look = () => {
    const now = changedAt(files)
    if (now === seen) return
    seen = now
    try {
      server.setSecureContext(readTls(files))
      log.info('the certificate was read again')
    } catch (error) {
      log.error('the certificate has changed and cannot be used: the former one stays', error)
    }
  }
  const timer = setInterval(look, everyMs).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Follows links, so a directory of Kubernetes that is swapped as a whole counts too. */
function changedAt({ certFile, keyFile }: TlsFiles): string {
  return `${stampOf(certFile)} ${stampOf(keyFile)}`
}

/** Of a file that cannot be looked at, why: reading it will tell of that. */
function stampOf(path: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(path)
    return `${ino}/${mtimeMs}/${size}`
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}
