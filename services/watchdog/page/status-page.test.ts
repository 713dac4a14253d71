import { setTimeout as soon } from 'node:timers/promises'
import { settingsSchema } from '@freshet/config/schema.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { expect, onTestFinished, test } from 'vitest'
import { StatusPage } from './status-page.ts'
import type { PageState } from './view/page-state.ts'
import { firing, NOW_MS, pipelineFacts } from './view/pipeline-facts.kit.ts'

/** A watchdog's page, and what its log says. Waits are short here. */
function open(pagePort: number | null) {
  const lines: { message: string; attributes: object }[] = []
  const take = (message: string, attributes: unknown) => {
    lines.push({ message, attributes: Object(attributes) })
  }
  const log: Log = { debug: take, info: take, warn: take, error: take }
  const clock: Clock = { nowMs: () => NOW_MS + 2_000, sleep: () => soon(5) }
  const settings = settingsSchema.parse({ pipeline: 'flights', watchdog: { pagePort } })
  const page = new StatusPage({ settings, instance: 'watchdog-box-315', clock, log })
  const stop = new AbortController()
  const running = page.run(stop.signal)
  const close = async () => {
    stop.abort()
    await running
  }
  onTestFinished(close)
  return {
    page,
    lines,
    close,
    url: async () => {
      await expect.poll(() => lines.map(({ message }) => message)).toContain('the status page listens')
      return Object.values(lines.at(-1)!.attributes)[0] as string
    },
  }
}

test('it shows what each look brought, and how old that is', async () => {
  const { page, url } = open(0)
  const address = await url()
  expect((await fetch(`${address}/healthz`)).status).toBe(503)
  const read = async () => (await (await fetch(`${address}/api/status`)).json()) as PageState
  expect((await read()).verdict.level).toBe('unknown')
  page.looked({ facts: pipelineFacts(), alerts: [firing()], orders: [], speaks: true })
  expect(await read()).toMatchObject({ pipeline: 'flights', verdict: { level: 'critical' }, atMs: NOW_MS })
  expect((await fetch(`${address}/api/status`)).headers.get('age')).toBe('2')
  expect((await fetch(`${address}/healthz`)).status).toBe(200)
})

test('a port that is taken is said once and stops nobody; whoever waits for it has the page when it is free', async () => {
  const first = open(0)
  const port = Number(new URL(await first.url()).port)
  const second = open(port)
  await expect.poll(() => second.lines.length).toBe(1)
  expect(second.lines[0]).toMatchObject({
    message: 'the status page is not shown; the watchdog goes on without it',
    attributes: { code: 'PORT_TAKEN' },
  })
  second.page.looked({ facts: pipelineFacts(), alerts: [], orders: [], speaks: false })
  await first.close()
  expect(await second.url()).toBe(`http://127.0.0.1:${port}`)
  expect(second.lines).toHaveLength(2)
})

test('without a port there is no page', async () => {
  const { page, lines, close } = open(null)
  page.looked({ facts: pipelineFacts(), alerts: [], orders: [], speaks: null })
  await close()
  expect(lines).toEqual([])
})
