import { hash } from 'node:crypto'
import { isLoopback } from '@freshet/config/loopback.ts'
import type { Settings } from '@freshet/config/schema.ts'

/** What people type until they think of something better, and what examples say. */
const GUESSES = [
  'test',
  'secret',
  'password',
  'passw0rd',
  'changeme',
  'change-me',
  'admin',
  'root',
  'key',
  'apikey',
  'api-key',
  'token',
  'default',
  'demo',
  'example',
  'freshet',
  'gateway',
  'letmein',
  'sesame',
  'none',
  'null',
  'undefined',
  '123456',
  '12345678',
  '123456789',
  '1234567890',
  'abc123',
  'qwerty',
  'foobar',
  'xxx',
  'your-api-key',
  '$KEY',
  '\n',
]

/** What is wrong with how the gateway lets callers in, and what is only worth a thought. Looks at settings alone. */
export function gatewayConcerns(gateway: Settings['gateway']) {
  const { host, keys, tls, deadlineMs, redisBudgetMs } = gateway
  const errors = keys
    .filter(({ name, sha256 }) =>
      [...GUESSES, name, name.toLowerCase()].some((guess) => isHashOf(guess, sha256)),
    )
    .map(({ name }) => `gateway.keys: the key of ${name} is easily guessed; make another: freshet key new`)
  const warnings: string[] = []
  if (!isLoopback(host) && tls.certFile === undefined)
    warnings.push(
      `gateway.host: ${host} is reachable from outside and speaks plain HTTP: keys can be read on the way, unless a proxy in front speaks TLS (gateway.tls)`,
    )
  if (redisBudgetMs >= deadlineMs)
    warnings.push(
      `gateway.redisBudgetMs: ${redisBudgetMs} ms leave nothing of the deadline of ${deadlineMs} ms for the other stores`,
    )
  return { errors, warnings }
}

/** With the end of line, too, that `echo` adds. */
function isHashOf(guess: string, sha256: string): boolean {
  return hash('sha256', guess) === sha256 || hash('sha256', `${guess}\n`) === sha256
}
