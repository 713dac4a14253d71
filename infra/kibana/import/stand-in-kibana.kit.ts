/**
 * Stands in for Kibana in tests: what its source says of `_import` and `/api/status`, and no more. It keeps what it was
 * given, so a test can look whether the same file may be imported again.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface StandInOptions {
  /** Of the space, such as `/s/team`. */
  readonly basePath?: string
  /** What it wants as `authorization`. */
  readonly authorization?: string
  /** By type, the newest version that it knows. */
  readonly versions?: Readonly<Record<string, string>>
  /** Answers to `/api/status` before it is ready. */
  readonly startsWith?: readonly Answer[]
}

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

interface Wanted {
  readonly type: string
  readonly id: string
}

interface StoredObject extends Wanted {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly references?: readonly (Wanted & { readonly name: string })[]
  readonly typeMigrationVersion?: string
}

/** Of Kibana 9.5; `dashboard` and `search` have versions of their own since. */
const VERSIONS = { 'index-pattern': '8.0.0', search: '10.9.0', lens: '10.1.0', dashboard: '10.3.0' }
/** Kibana looks for references of these types only. */
const TYPES_TO_VALIDATE = ['index-pattern', 'search']

export class StandInKibana implements AsyncDisposable {
  /** By `type id`. */
  readonly objects = new Map<string, StoredObject>()
  readonly #server: Server
  readonly #options: Required<Omit<StandInOptions, 'authorization'>> & Pick<StandInOptions, 'authorization'>
  readonly #before: Answer[]

  static async open(options: StandInOptions = {}): Promise<StandInKibana> {
    const kibana = new StandInKibana(options)
    await new Promise<void>((resolve) => kibana.#server.listen(0, '127.0.0.1', resolve))
    return kibana
  }

  private constructor(options: StandInOptions) {
    this.#options = { basePath: '', versions: VERSIONS, startsWith: [], ...options }
    this.#before = [...this.#options.startsWith]
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status, body, headers }) => {
        const text = typeof body === 'string' ? body : JSON.stringify(body)
        response.writeHead(status, { 'kbn-name': 'stand-in', ...headers }).end(text)
      })
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.#options.basePath}`
  }

  /** All that it was given, as a file of an export. */
  exported(): string {
    return [...this.objects.values()].map((object) => `${JSON.stringify(object)}\n`).join('')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { basePath, authorization } = this.#options
    const url = new URL(request.url!, 'http://kibana')
    if (!url.pathname.startsWith(`${basePath}/`))
      return { status: 302, body: '', headers: { location: `${basePath}/spaces/enter` } }
    if (authorization !== undefined && request.headers.authorization !== authorization)
      return boom(401, 'Unauthorized', 'unable to authenticate')
    const path = url.pathname.slice(basePath.length)
    if (path === '/api/status' && request.method === 'GET')
      return (
        this.#before.shift() ?? {
          status: 200,
          body: { version: { number: '9.5.3' }, status: { overall: { level: 'available' } } },
        }
      )
    if (path !== '/api/saved_objects/_import' || request.method !== 'POST')
      return boom(404, 'Not Found', 'Not Found')
    if (request.headers['kbn-xsrf'] === undefined)
      return boom(400, 'Bad Request', 'Request must contain a kbn-xsrf header.')
    return await this.#import(request, url.searchParams)
  }

  async #import(request: IncomingMessage, query: URLSearchParams): Promise<Answer> {
    const [overwrite, createNewCopies] = ['overwrite', 'createNewCopies'].map(
      (name) => query.get(name) === 'true',
    )
    if (overwrite && createNewCopies)
      return boom(400, 'Bad Request', '[request query]: cannot use [overwrite] with [createNewCopies]')
    const contentType = request.headers['content-type'] ?? ''
    if (!contentType.startsWith('multipart/form-data'))
      return boom(415, 'Unsupported Media Type', 'Unsupported Media Type')
    const body = new Uint8Array(await buffer(request))
    const form = await new Response(body, { headers: { 'content-type': contentType } }).formData()
    const file = form.get('file')
    if (!(file instanceof File))
      return boom(400, 'Bad Request', '[request body.file]: expected value of type [Stream]')
    const extension = /\.[^.]*$/.exec(file.name)?.[0].toLowerCase() ?? ''
    if (extension !== '.ndjson') return boom(400, 'Bad Request', `Invalid file extension ${extension}`)
    let objects: StoredObject[]
    try {
      const lines = (await file.text()).split('\n').filter((line) => line !== '')
      objects = lines.map((line) => JSON.parse(line) as StoredObject)
    } catch (error) {
      return boom(400, 'Bad Request', (error as Error).message)
    }
    return this.#store(objects, overwrite === true)
  }

  #store(objects: readonly StoredObject[], overwrite: boolean): Answer {
    const { versions } = this.#options
    const doubled = objects.find(
      (one, at) => objects.findIndex((other) => nameOf(other) === nameOf(one)) < at,
    )
    if (doubled !== undefined)
      return boom(400, 'Bad Request', `Non-unique import objects detected: [${doubled.type}:${doubled.id}]`)
    const errors = objects.flatMap((object) => this.#errorsOf(object, objects, overwrite))
    const good = objects.filter((one) => !errors.some((error) => nameOf(error) === nameOf(one)))
    for (const { id, type, typeMigrationVersion } of good) {
      // Import takes '' for a version that is not stated: all migrations run, and those of Lens break on `formBased`.
      if (typeMigrationVersion === undefined && type === 'lens')
        return boom(
          500,
          'Internal Server Error',
          'An internal server error occurred. Check Kibana server logs for details.',
        )
      if (isAbove(typeMigrationVersion ?? '0.0.0', versions[type]!))
        return boom(
          422,
          'Unprocessable Entity',
          `Document "${id}" belongs to a more recent version of Kibana [${typeMigrationVersion}] when the last known version is [${versions[type]}].`,
        )
    }
    if (errors.length === 0) for (const object of good) this.objects.set(nameOf(object), object)
    return {
      status: 200,
      body: {
        success: errors.length === 0,
        successCount: errors.length === 0 ? good.length : 0,
        warnings: [],
        ...(errors.length > 0 && { errors }),
        ...(errors.length === 0 && {
          successResults: good.map(({ type, id }) => ({ type, id, managed: true })),
        }),
      },
    }
  }

  #errorsOf(
    { type, id, attributes, references = [] }: StoredObject,
    all: readonly StoredObject[],
    overwrite: boolean,
  ) {
    const error = (error: object) => [{ type, id, meta: { title: attributes['title'] }, error }]
    if (!(type in this.#options.versions)) return error({ type: 'unsupported_type' })
    const missing = references.filter(
      (one) =>
        TYPES_TO_VALIDATE.includes(one.type) &&
        !this.objects.has(nameOf(one)) &&
        !all.some((other) => nameOf(other) === nameOf(one)),
    )
    if (missing.length > 0)
      return error({
        type: 'missing_references',
        references: missing.map((one) => ({ type: one.type, id: one.id })),
      })
    return !overwrite && this.objects.has(nameOf({ type, id })) ? error({ type: 'conflict' }) : []
  }
}

function boom(statusCode: number, error: string, message: string): Answer {
  return { status: statusCode, body: { statusCode, error, message } }
}

function nameOf({ type, id }: Wanted): string {
  return `${type} ${id}`
}

/** Of versions such as `8.9.0`. */
function isAbove(version: string, known: string): boolean {
  return version.localeCompare(known, 'en', { numeric: true }) > 0
}
