import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { expect, onTestFinished, test } from 'vitest'
import { EventStream } from './event-stream.ts'
import { PageServer, type Shown } from './page-server.ts'

async function serve(keys: { name: string; sha256: string }[] = []) {
  const shown = { text: '{"looks":1}', ageSeconds: 0, isFresh: true }
  const settings = { pageHost: '127.0.0.1', pagePort: 0, pageKeys: keys }
  const server = await PageServer.listen({ settings, shown: (): Shown => shown, clock: handClock(0) })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return { server, shown, get: (path: string, init: RequestInit = {}) => fetch(server.url + path, init) }
}

/** Reads a stream as it comes. */
async function follow(url: string, signal: AbortSignal) {
  const reply = await fetch(`${url}/events`, { signal })
  const reader = reply.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return {
    reply,
    async until(part: string) {
      while (!text.includes(part)) {
        const { done, value } = await reader.read()
        if (done) throw new Error(`the stream ended with ${JSON.stringify(text)}`)
        text = text.slice(-part.length) + value
      }
      text = text.slice(text.indexOf(part) + part.length)
    },
    ended: async () => {
      while (!(await reader.read()).done);
    },
  }
}

test('the page is plain files under a policy that lets nothing from elsewhere in, and nothing inline', async () => {
  const { get } = await serve()
  const page = await get('/')
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  const policy = page.headers.get('content-security-policy')!
  expect(policy).toMatch(/^default-src 'none'/)
  expect(policy).not.toMatch(/unsafe|https?:|\*/)
  const html = await page.text()
  expect(html).not.toMatch(/\son\w+=|style=|<style|https?:\/\/|javascript:/)
  const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!)
  expect(parts).toEqual(
    expect.arrayContaining(['page.css', 'cards/cards.css', 'page.js', 'theme.js', 'icon.svg']),
  )
  for (const part of parts) expect((await get(`/${part}`)).status).toBe(200)
})

test('every script that the page imports is there, and asks nothing of other hosts', async () => {
  const { get } = await serve()
  const toRead = ['page.js', 'theme.js']
  for (const file of toRead) {
    const reply = await get(`/${file}`)
    expect([file, reply.status, reply.headers.get('content-type')]).toEqual([
      file,
      200,
      'text/javascript; charset=utf-8',
    ])
    const text = await reply.text()
    expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\/|innerHTML|eval\(/)
    for (const [, imported] of text.matchAll(/from '([^']+)'/g)) {
      const path = new URL(imported!, `http://page/${file}`).pathname.slice(1)
      if (!toRead.includes(path)) toRead.push(path)
    }
  }
  expect(toRead).toContain('cards/card.js')
})

test('the same facts are JSON, with their age; health is that the watchdog still looks', async () => {
  const { get, shown } = await serve()
  shown.ageSeconds = 1.9 // an HTTP Age has no fraction
  const facts = await get('/api/status')
  expect([await facts.json(), facts.headers.get('age'), facts.headers.get('cache-control')]).toEqual([
    { looks: 1 },
    '1',
    'no-store',
  ])
  expect((await get('/healthz')).status).toBe(200)
  shown.isFresh = false
  expect((await get('/healthz')).status).toBe(503)
})

test('a browser that has a file is told so, and what is not there is not found', async () => {
  const { get } = await serve()
  const tag = (await get('/page.css')).headers.get('etag')!
  expect((await get('/page.css', { headers: { 'if-none-match': tag } })).status).toBe(304)
  for (const path of ['/nothing', '/../package.json', '/%2e%2e/status-page.ts', '/public/page.css'])
    expect((await get(path)).status).toBe(404)
  expect((await get('/', { method: 'POST', body: 'x' })).status).toBe(405)
  const head = await get('/page.css', { method: 'HEAD' })
  expect([head.status, (await head.text()).length]).toEqual([200, 0])
})

test('with keys the page asks browsers for one; health needs none', async () => {
  const { get } = await serve([{ name: 'me', sha256: 'ab'.repeat(32) }])
  for (const path of ['/', '/page.js', '/api/status', '/events']) {
    const reply = await get(path)
    expect([reply.status, reply.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringMatching(/^Basic /),
    ])
  }
  expect((await get('/healthz')).status).toBe(200)
})

test('a name that is not this machine’s is refused without keys', async () => {
  const { server } = await serve()
  const asked = request(`${server.url}/api/status`, { headers: { host: 'evil.example' } }).end()
  const [reply] = await once(asked, 'response')
  expect(reply.statusCode).toBe(403)
  reply.resume()
})

test('whoever looks gets the state at once and at every look, and the stream ends with the server', async () => {
  const { server, shown } = await serve()
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const stream = await follow(server.url, stop.signal)
  expect(stream.reply.headers.get('content-type')).toBe('text/event-stream')
  await stream.until('retry: 2000\nevent: age\ndata: 0\n\nevent: state\ndata: {"looks":1}\n\n')
  shown.text = '{"looks":2}'
  server.send()
  await stream.until('event: state\ndata: {"looks":2}\n\n')
  const ending = server[Symbol.asyncDispose]()
  await stream.ended()
  await ending
})

test('only so many may look at once; the others are told to come again', async () => {
  const { server, get } = await serve()
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const looking = await Promise.all(Array.from({ length: 50 }, () => follow(server.url, stop.signal)))
  await looking.at(-1)!.until('"looks":1')
  const refused = await get('/events')
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30'])
  expect((await get('/api/status')).status).toBe(200)
})

test('a port that is taken is an error with its name', async () => {
  const { server } = await serve()
  const pagePort = Number(new URL(server.url).port)
  const again = PageServer.listen({
    settings: { pageHost: '127.0.0.1', pagePort, pageKeys: [] },
    shown: () => ({ text: '', ageSeconds: 0, isFresh: false }),
    clock: handClock(0),
  })
  await expect(again).rejects.toMatchObject({ code: 'PORT_TAKEN' })
})

test('who does not read is sent only the newest, and cut off after a while; others do not notice', async () => {
  const clock = handClock(0)
  const stream = new EventStream({ maxClients: 5, heartbeatMs: 10_000, stallMs: 15_000, clock })
  const { createServer } = await import('node:http')
  const server = createServer((_, response) => stream.accept(response, { text: 'first', ageSeconds: 0 }))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const deaf = connect(port, '127.0.0.1').pause()
  deaf.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
  deaf.on('error', () => {})
  await expect.poll(() => stream.clients).toBe(1)
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const reader = await follow(`http://127.0.0.1:${port}`, stop.signal)
  const text = 'x'.repeat(4_000_000) // more than sockets hold
  for (let at = 0; at < 5; at++) {
    stream.send({ text, ageSeconds: at })
    await reader.until(`data: ${at}\n\nevent: state\ndata: `)
    await reader.until('x\n\n')
  }
  expect(stream.clients).toBe(2)
  clock.atMs = 16_000
  stream.tend()
  await expect.poll(() => stream.clients).toBe(1)
  stream.send({ text: 'after', ageSeconds: 0 })
  await reader.until('data: after')
  clock.atMs = 26_000
  stream.tend()
  await reader.until(': still here')
})

/** What the page says to these bytes. */
async function answerTo(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').setEncoding('utf8')
  let received = ''
  socket.on('data', (text: unknown) => {
    received += String(text)
  })
  socket.end(bytes)
  await once(socket, 'close')
  return received
}

test('a target in absolute form is taken, and is what names the host', async () => {
  const { server } = await serve()
  const ask = (target: string) =>
    answerTo(server.url, `GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
  expect(await ask('http://127.0.0.1:8081/api/status?x=1')).toMatch(/^HTTP\/1\.1 200 .*\{"looks":1\}$/s)
  expect(await ask('http://localhost')).toMatch(/^HTTP\/1\.1 200 .*text\/html/s)
  expect(await ask('http://evil.example/api/status')).toMatch(/^HTTP\/1\.1 403 /)
})

test('hundreds of connections that say nothing lock nobody out', async () => {
  const { server, get } = await serve()
  const port = Number(new URL(server.url).port)
  const silent = Array.from({ length: 250 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  onTestFinished(() => {
    for (const socket of silent) socket.destroy()
  })
  await Promise.all(silent.map((socket) => socket.connecting && once(socket, 'connect')))
  expect((await get('/api/status')).status).toBe(200)
  await expect.poll(() => silent.filter(({ closed }) => closed).length).toBeGreaterThanOrEqual(150)
})
