import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '@freshet/stage/clock.ts'
import { describe, expect, test } from 'vitest'
import { savedObjects, toNdjson } from '../export/export.ts'
import { checkKibana, importIntoKibana } from './import-objects.ts'
import { StandInKibana, type StandInOptions } from './stand-in-kibana.kit.ts'

const signal = AbortSignal.timeout(50_000)

function run(url: string, { apiKey, waitSeconds = 0 }: { apiKey?: string; waitSeconds?: number } = {}) {
  const waits: string[] = []
  const imported = importIntoKibana(
    { url, waitSeconds, ...(apiKey !== undefined && { apiKey }) },
    { clock: systemClock, signal, onWait: (why) => waits.push(why) },
  )
  return { waits, imported }
}

async function refusal(url: string, options?: Parameters<typeof run>[1]): Promise<string> {
  return await run(url, options).imported.then(
    () => 'none',
    (error: unknown) => `${(error as { code: string }).code}: ${(error as Error).message}`,
  )
}

/** Answers everything with one thing. */
async function server(answer: RequestListener): Promise<{ url: string } & AsyncDisposable> {
  const http = createServer(answer)
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

describe('an import', () => {
  test('brings everything, and again over what is there', async () => {
    await using kibana = await StandInKibana.open()
    for (const _ of [1, 2]) {
      const { objects, dashboardUrl } = await run(kibana.url).imported
      expect(objects).toBe(kibana.objects.size)
      expect(dashboardUrl).toContain(`${kibana.url}/app/dashboards#/view/freshet-overview?`)
    }
    expect([...kibana.objects.keys()]).toEqual(savedObjects().map(({ type, id }) => `${type} ${id}`))
  })

  test('waits for a Kibana that is starting, and says so once', async () => {
    const startsWith = [
      { status: 503, body: 'Kibana server is not ready yet' },
      { status: 503, body: { status: { overall: { level: 'unavailable' } } } },
    ]
    await using kibana = await StandInKibana.open({ startsWith })
    const { imported, waits } = run(kibana.url, { waitSeconds: 30 })
    await imported
    expect(waits).toEqual([`Kibana at ${kibana.url} is still starting: Kibana server is not ready yet`])
  })

  test.each([
    ['a key', { authorization: 'ApiKey bGV0bWVpbg==' }, { apiKey: 'bGV0bWVpbg==' }, ''],
    ['a user', { authorization: `Basic ${btoa('fre:sh@t')}` }, {}, 'fre:sh%40t@'],
  ])('goes into a space, with %s', async (_, options, withKey, user) => {
    await using kibana = await StandInKibana.open({ basePath: '/s/team', ...options })
    const url = kibana.url.replace('http://', `http://${user}`)
    const { dashboardUrl } = await run(`${url}/`, withKey).imported
    expect(dashboardUrl).toContain(`${kibana.url}/app/dashboards#`)
    expect(await refusal(kibana.url)).toMatch(/^KIBANA_UNAUTHORIZED: .* answers 401: unable to authenticate$/)
    expect(await refusal(url.replace('/s/team', ''), withKey)).toMatch(
      /^KIBANA_REFUSED: .* leads to \/s\/team/,
    )
  })

  const refused: [string, StandInOptions, string][] = [
    [
      'is too old',
      { versions: { 'index-pattern': '8.0.0', search: '8.0.0', lens: '8.6.0', dashboard: '8.7.0' } },
      'KIBANA_REFUSED: the import answers 422: Document "freshet-throughput" belongs to a more recent version',
    ],
    [
      'does not know a type, which it says with status 200',
      { versions: { 'index-pattern': '8.0.0', lens: '8.9.0', dashboard: '8.9.0' } },
      'KIBANA_REFUSED: 0 of 18 objects were imported; search freshet-slow-requests: unsupported_type; ',
    ],
  ]
  test.each(refused)('fails where Kibana %s', async (_, options, said) => {
    await using kibana = await StandInKibana.open(options)
    expect(await refusal(kibana.url)).toContain(said)
    expect(kibana.objects.size).toBe(0)
  })

  test('gives up after its time on a Kibana that never gets ready, without showing a password', async () => {
    const starting = { status: 503, body: 'Kibana server is not ready yet' }
    await using kibana = await StandInKibana.open({ startsWith: Array.from({ length: 50 }, () => starting) })
    const url = kibana.url.replace('http://', 'http://me:hunter2@')
    expect(await refusal(url)).toBe(
      `KIBANA_UNREACHABLE: Kibana at ${kibana.url.replace('http://', 'http://me:***@')} is still starting: Kibana server is not ready yet`,
    )
  })

  test('is tried beforehand by doctor, which brings nothing', async () => {
    await using kibana = await StandInKibana.open({ authorization: 'ApiKey abc' })
    await checkKibana({ url: kibana.url, apiKey: 'abc' }, signal)
    await expect(checkKibana({ url: kibana.url }, signal)).rejects.toMatchObject({
      code: 'KIBANA_UNAUTHORIZED',
    })
    expect(kibana.objects.size).toBe(0)
  })

  test('fails where nothing listens, and where something else does', async () => {
    const gone = await server(() => {})
    await gone[Symbol.asyncDispose]()
    expect(await refusal(gone.url)).toMatch(/^KIBANA_UNREACHABLE: .*ECONNREFUSED/)
    await using page = await server((_, response) => response.end('<h1>It works!</h1>'))
    expect(await refusal(page.url)).toBe(
      `KIBANA_REFUSED: what answers 200 at ${page.url} is not Kibana: <h1>It works!</h1>`,
    )
  })
})

describe('what stands in for Kibana refuses', () => {
  const whole = toNdjson(savedObjects())

  async function post(
    kibana: StandInKibana,
    { text = whole, name = 'a.ndjson', query = '', xsrf = true } = {},
  ): Promise<[status: number, body: string]> {
    const body = new FormData()
    body.set('file', new Blob([text]), name)
    const response = await fetch(`${kibana.url}/api/saved_objects/_import${query}`, {
      method: 'POST',
      body,
      ...(xsrf && { headers: { 'kbn-xsrf': 'x' } }),
    })
    return [response.status, await response.text()]
  }

  test('what Kibana refuses', async () => {
    await using kibana = await StandInKibana.open()
    expect(await post(kibana, { xsrf: false })).toEqual([400, expect.stringContaining('kbn-xsrf header')])
    expect(await post(kibana, { name: 'a.json' })).toEqual([
      400,
      expect.stringContaining('file extension .json'),
    ])
    expect(await post(kibana, { text: '{' })).toEqual([400, expect.stringContaining('JSON')])
    expect(await post(kibana, { text: whole + whole })).toEqual([400, expect.stringContaining('Non-unique')])
    expect(await post(kibana, { query: '?overwrite=true&createNewCopies=true' })).toEqual([
      400,
      expect.stringContaining('cannot use [overwrite] with [createNewCopies]'),
    ])
    const unversioned = whole.replaceAll('"typeMigrationVersion":"8.9.0",', '')
    expect(await post(kibana, { text: unversioned })).toEqual([500, expect.any(String)])
    const withoutViews = toNdjson(savedObjects().filter(({ type }) => type !== 'index-pattern'))
    expect(await post(kibana, { text: withoutViews })).toEqual([
      200,
      expect.stringContaining('missing_references'),
    ])
    expect(kibana.objects.size).toBe(0)
    expect(await post(kibana)).toEqual([200, expect.stringContaining('"success":true')])
    expect(await post(kibana)).toEqual([200, expect.stringContaining('conflict')])
    expect(await post(kibana, { query: '?overwrite=true' })).toEqual([
      200,
      expect.stringContaining('"success":true'),
    ])
  })
})
