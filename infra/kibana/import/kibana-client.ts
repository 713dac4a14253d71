import { redactUrl } from '@freshet/config/redact.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'

export interface KibanaAnswer {
  readonly status: number
  readonly text: string
}

/** Kibana's HTTP interface, within the space that the address names. */
export class KibanaClient {
  /** For messages: without the password. */
  readonly address: string
  readonly #base: string
  readonly #headers: Readonly<Record<string, string>>

  constructor({ url, apiKey }: Pick<Settings['kibana'], 'apiKey'> & { readonly url: string }) {
    const { href, username, password } = new URL(url)
    const plain = new URL(href)
    plain.username = plain.password = ''
    this.address = redactUrl(url)
    this.#base = plain.href.replace(/\/+$/, '')
    this.#headers = { 'kbn-xsrf': 'true', ...authorization({ apiKey, username, password }) }
  }

  /** @throws KIBANA_UNREACHABLE, KIBANA_UNAUTHORIZED; KIBANA_REFUSED where it leads elsewhere */
  async ask(
    path: string,
    {
      method,
      body,
      limitMs,
      signal,
    }: { method: string; body?: FormData; limitMs: number; signal: AbortSignal },
  ): Promise<KibanaAnswer> {
    let answer: KibanaAnswer & { location: string | null }
    try {
      const response = await fetch(`${this.#base}${path}`, {
        method,
        headers: this.#headers,
        redirect: 'manual', // an address without its space is led to a page for people
        signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
        ...(body && { body }),
      })
      const { status, headers } = response
      answer = { status, location: headers.get('location'), text: await response.text() }
    } catch (cause) {
      throw new FreshetError('KIBANA_UNREACHABLE', `Kibana at ${this.address}: ${reasonOf(cause)}`, { cause })
    }
    const { status, location, text } = answer
    if (status === 401 || status === 403)
      throw new FreshetError(
        'KIBANA_UNAUTHORIZED',
        `Kibana at ${this.address} answers ${status}: ${sayingOf(text)}`,
      )
    if (location !== null)
      throw new FreshetError(
        'KIBANA_REFUSED',
        `${this.address}${path} leads to ${location}, so it is not Kibana's address`,
      )
    return { status, text }
  }
}

function authorization({
  apiKey,
  username,
  password,
}: {
  apiKey: string | undefined
  username: string
  password: string
}): Record<string, string> {
  if (apiKey !== undefined) return { authorization: `ApiKey ${apiKey}` }
  if (username === '') return {}
  const user = [username, password].map(decodeURIComponent).join(':')
  return { authorization: `Basic ${Buffer.from(user).toString('base64')}` }
}

/** What fetch keeps back: its own message is only "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'no answer in time'
  return error.cause instanceof Error ? error.cause.message || error.cause.name : error.message
}

const MAX_SAYING = 300

/** The message of an error of Kibana, else the beginning of what was said. */
export function sayingOf(text: string): string {
  let message: unknown
  try {
    message = (JSON.parse(text) as { message?: unknown }).message
  } catch {
    // A page for people.
  }
  const saying = typeof message === 'string' ? message : text
  return saying.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_SAYING) || 'nothing'
}
