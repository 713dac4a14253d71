import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { Server } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import { concernOfAge } from './certificate-age.ts'

interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

const MIN_VERSION = 'TLSv1.2'
const LOOK_EVERY_MS = 10_000
const AGE_EVERY_MS = 24 * 3_600_000

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
    cert: readPem('certFile', certFile, (pem) => new X509Certificate(pem)),
    key: readPem('keyFile', keyFile, refuseEncrypted),
    minVersion: MIN_VERSION,
  } as const
  try {
    createSecureContext(options)
  } catch (cause) {
    const text = `certFile ${certFile} and keyFile ${keyFile}: ${(cause as Error).message}`
    throw new FreshetError('CONFIG_INVALID', `gateway.tls: ${text}`, { cause })
  }
  return options
}

/** @param parse throws when it is not what it should be */
function readPem(setting: keyof TlsFiles, path: string, parse: (pem: string) => unknown): string {
  const invalid = (what: string, cause: unknown) =>
    new FreshetError('CONFIG_INVALID', `gateway.tls.${setting}: ${what}`, { cause })
  let pem: string
  try {
    pem = readFileSync(path, 'utf8')
  } catch (cause) {
    throw invalid(`cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, cause)
  }
  try {
    parse(pem)
    return pem
  } catch (cause) {
    throw invalid(`${path} ${WHAT_IS_WRONG[setting]}: ${(cause as Error).message}`, cause)
  }
}

const WHAT_IS_WRONG = { certFile: 'holds no certificate in PEM', keyFile: 'holds no key that can be used' }

/** OpenSSL would say that it lacks a passphrase, which nobody can give it here. */
function refuseEncrypted(pem: string): void {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem))
    throw new Error('it is encrypted; `openssl pkey -in <file> -out <file>` decrypts it')
  createPrivateKey(pem)
}

/**
 * Takes a renewed certificate for new connections, without a restart. One that cannot be used, such as while only one
 * of both files is there, changes nothing and is told. One that ends soon is told at the start and once a day.
 * @returns what ends it
 */
export function followTls(
  server: Server,
  files: TlsFiles,
  { log, everyMs = LOOK_EVERY_MS }: { readonly log: Log; readonly everyMs?: number },
): Disposable {
  let seen = changedAt(files)
  const ages = new Throttle(AGE_EVERY_MS, systemClock)
  const lookAtAge = () => {
    if (ages.pass() === null) return
    const concern = concernOfAge(readTls(files).cert, systemClock.nowMs())
    if (concern !== undefined) log.warn(concern.text)
  }
  lookAtAge()
  const look = () => {
    const now = changedAt(files)
    try {
      if (now === seen) return lookAtAge()
      seen = now
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
