/** The status page of a real watchdog over a real pipeline, in a real browser; and the same in a terminal. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { readFlights } from '@freshet/demo/flights.ts'
import { PortPicker } from '@freshet/up/ports.ts'
import type { PageState } from '@freshet/watchdog/page/view/page-state.ts'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { PROGRAM, Stack } from './stack.ts'
import { until } from './until.ts'

/** The first of these that is there: CHROMIUM names another one. */
const CHROMIUM = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]
  .filter((path) => path !== undefined)
  .find(existsSync)
const BROWSER_MS = 60_000
const FACT = { timeout: 60_000 }
/** What a browser cannot keep to itself when the other side is killed. */
const LOST_CONNECTION = /net::ERR_(CONNECTION_\w+|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)/
const PHONE = { width: 390, height: 844 }

describe('the pipeline', () => {
  let stack: Stack
  let pageUrl: string
  let browser: Browser | undefined

  beforeAll(async () => {
    const pagePort = await new PortPicker().pick([])
    pageUrl = `http://127.0.0.1:${pagePort}`
    stack = await Stack.open({
      FRESHET_WATCHDOG_PAGE_PORT: String(pagePort),
      FRESHET_WATCHDOG_INTERVAL_SECONDS: '0.5',
      FRESHET_WATCHDOG_SERVER_INTERVAL_SECONDS: '1',
      FRESHET_TELEMETRY_ENABLED: 'false',
    })
    stack.start('poller', 'scorer', 'gateway', 'watchdog')
    const flights = (await readFlights()).slice(0, 100)
    await stack.write(Object.fromEntries(flights.map(({ id, document }) => [id, document])))
    await stack.gatewayReady()
    const address = `${stack.gatewayUrl}/v1/scores/${stack.index}/${flights[0]!.id}`
    await until(
      'the gateway answers from the cache',
      async () => ((await (await fetch(address)).json()) as { source: string }).source === 'cache',
      { giveUpMs: 150_000, explain: () => JSON.stringify(stack.output, null, 2) },
    )
    if (CHROMIUM !== undefined)
      browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: ['--no-sandbox'],
        timeout: BROWSER_MS,
      })
  }, 640_000)

  afterAll(async () => {
    await browser?.close()
    await stack?.[Symbol.asyncDispose]()
  })

  test.skipIf(CHROMIUM === undefined)(
    'is seen on its page: live figures, an alert that comes, and a watchdog that is killed and started anew',
    { timeout: 300_000 },
    async () => {
      const { page, troubles, places } = await open(browser!)
      await page.goto(pageUrl)
      await seesFigures(page)
      expect(await page.title()).toBe(`${stack.index} · Freshet`)
      await photograph(page, 'well')

      await stack.write({ poison: { carrier: 'UA', note: 'no distance, no schedule' } })
      const alert = page.locator('.alert[data-phase="firing"][data-id^="dead-letters"]')
      await alert.waitFor(FACT)
      await photograph(page, 'alert')
      expect(await alert.textContent()).toContain('docs/runbooks/dead-letters.md')
      expect(await page.title()).toMatch(/^\(\d+\) /)
      expect(troubles).toEqual([])

      await stack.stop('watchdog', 'SIGKILL')
      await page.getByText('This picture is old').waitFor(FACT)
      await photograph(page, 'old')
      stack.start('watchdog')
      await page.getByText('This picture is old').waitFor({ ...FACT, state: 'hidden' })
      await seesFigures(page)
      await alert.waitFor(FACT)
      expect(troubles.filter((trouble) => !LOST_CONNECTION.test(trouble))).toEqual([])
      expect([...places]).toEqual([pageUrl])
    },
  )

  test.skipIf(CHROMIUM === undefined)('fits a phone, by day and by night', { timeout: 180_000 }, async () => {
    const { page, troubles } = await open(browser!, { viewport: PHONE, colorScheme: 'dark' })
    await page.goto(pageUrl)
    await seesFigures(page)
    for (const width of [PHONE.width, 320]) {
      await page.setViewportSize({ ...PHONE, width })
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
    }
    const brightness = async () =>
      (await page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor'))
        .match(/\d+/g)!
        .slice(0, 3)
        .reduce((sum, part) => sum + Number(part), 0)
    await photograph(page, 'phone')
    expect(await brightness()).toBeLessThan(150)
    await page.getByRole('button', { name: 'Theme: auto' }).click()
    expect(await brightness()).toBeGreaterThan(600)
    await page.reload()
    await seesFigures(page)
    expect(await brightness()).toBeGreaterThan(600) // it is remembered
    await page.getByRole('button', { name: 'Theme: light' }).click()
    await page.getByRole('button', { name: 'Theme: dark' }).click()
    expect(await brightness()).toBeLessThan(150) // as the system has it
    expect(troubles).toEqual([])
  })

  test('is seen in a terminal: a line of JSON for each look, until it is interrupted', {
    timeout: 90_000,
  }, async () => {
    const watching = spawn(process.execPath, [PROGRAM, 'status', '--watch', '--json', '--interval', '0.5'], {
      env: stack.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void watching.kill('SIGKILL'))
    let last: PageState | undefined
    for await (const line of createInterface(watching.stdout)) {
      last = JSON.parse(line) as PageState
      if (last.instances.length >= 4 && last.capture.shards.rows.length === 2 && last.model.promoted !== null)
        break
    }
    expect(last?.stages.map(({ name }) => name)).toEqual(['capture', 'infer', 'cache', 'snapshot', 'gateway'])
    expect(last?.pipeline).toBe(stack.index)
    watching.kill('SIGINT')
    const [code] = await once(watching, 'exit')
    expect(code).toBe(0)
  })
})

async function seesFigures(page: Page): Promise<void> {
  const text = (selector: string, part: RegExp) =>
    page.locator(selector).filter({ hasText: part }).first().waitFor(FACT)
  await page.locator('.stage[data-level="well"]').nth(3).waitFor(FACT)
  await text('.stage[data-stage="infer"] .rate', /[\d.<]+ rows\/s/)
  await text('.stage[data-stage="cache"] .behind', /nothing waits|behind|waiting/)
  await text('#card-shards-and-cursors li b', /\/1$/)
  await page.locator('#card-partitions .group:nth-of-type(3) .cells li:nth-child(4)').waitFor(FACT)
  await text('#card-model .lead', /arrival-delay@1/)
  await text('#card-snapshot .lead', /\d+ rows/)
  await text('#card-answers-by-source td', /cache/)
  await text('#card-servers', /Redis ?answers/)
  for (const service of ['poller', 'scorer', 'gateway', 'watchdog'])
    await text('#card-instances li', new RegExp(`^${service}-`))
}

/** For people to look at: in the folder that PICTURES names. */
async function photograph(page: Page, name: string): Promise<void> {
  const folder = process.env['PICTURES']
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true })
}

/** A page that remembers what went wrong in it, and whom it asked. */
async function open(browser: Browser, options: Parameters<Browser['newContext']>[0] = {}) {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(BROWSER_MS)
  const troubles: string[] = []
  const places = new Set<string>()
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text())
  })
  page.on('pageerror', (error) => troubles.push(String(error)))
  page.on('request', (request) => places.add(new URL(request.url()).origin))
  return { page, troubles, places }
}
