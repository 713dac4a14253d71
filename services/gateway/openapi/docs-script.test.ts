import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { createContext, runInContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import type { ModelPage } from '../live/model-page-schema.ts'

const SCRIPT = readFileSync(new URL('docs.js', import.meta.url), 'utf8')

class Element {
  dataset: Record<string, string> = {}
  value = ''
  readonly children: unknown[] = []
  readonly listeners: Record<string, () => unknown> = {}
  append(...children: unknown[]) {
    this.children.push(...children)
  }
  addEventListener(name: string, listener: () => unknown) {
    this.listeners[name] = listener
  }
  setAttribute() {}
  querySelectorAll() {
    return []
  }
}

/** As much of a browser as the script needs, on a page with the form of predict and that of rank. */
function opened(fetchModel: () => Promise<Response>) {
  const made: Element[] = []
  const sections = ['predict', 'rank'].map((id) =>
    Object.assign(new Element(), { id, dataset: { mediaType: 'application/json' } }),
  )
  const page = {
    header: new Element(),
    querySelector: (selector: string) => (selector === 'header' ? page.header : made.find(isText)),
    querySelectorAll: () => sections,
    createElement: (tag: string) => {
      const element = Object.assign(new Element(), { tag })
      made.push(element)
      return element
    },
  }
  const isText = (element: object) => 'tag' in element && element.tag === 'textarea'
  runInContext(SCRIPT, createContext({ document: page, fetch: fetchModel }))
  const texts = made.filter(isText)
  const key = made.find((element) => 'type' in element && element.type === 'password')!
  return { predict: texts[0]!, rank: texts[1]!, key }
}

const columns = [
  { name: 'distance', path: '/distance', type: 'number' },
  { name: 'wind', path: '/weather/wind', type: 'number', clip: [5, 9] },
  { name: 'late', path: '/a~1b~0c', type: 'boolean' },
  { name: 'carrier', path: '/carrier', type: 'category', categories: ['UA', 'AA'] },
  { name: 'hour', path: '/departure', type: 'time', part: 'hour' },
  { name: 'month', path: '/departure', type: 'time', part: 'month' },
  { name: 'words', path: '/__proto__/words', type: 'text' },
]
const model = async () => Response.json({ inputs: { columns } } satisfies Partial<ModelPage>)

describe('the forms', () => {
  test('have a document with the fields of the model', async () => {
    const { predict } = opened(model)
    await expect.poll(() => JSON.parse(predict.value).document).toMatchObject({ distance: 1 })
    const filled = JSON.parse(predict.value)
    expect(filled.key).toBe('flights/1')
    expect(JSON.stringify(filled.document)).toBe(
      '{"distance":1,"weather":{"wind":5},"a/b~c":true,"carrier":"UA","departure":"2026-01-31T12:00:00Z","__proto__":{"words":"text"}}',
    )
  })

  test('ask again once there is a key, and leave alone what somebody has written', async () => {
    let replies = async () => new Response('{}', { status: 401 })
    const { predict, key } = opened(() => replies())
    await setImmediate()
    expect(JSON.parse(predict.value)).toEqual({ document: {}, key: 'flights/1' })
    replies = model
    await key.listeners['change']!()
    expect(JSON.parse(predict.value).document).toMatchObject({ distance: 1 })
    predict.value = '{"document": {"mine": 1}}'
    await key.listeners['change']!()
    expect(predict.value).toBe('{"document": {"mine": 1}}')
  })

  test('name a template that the gateway takes for a name', () => {
    expect(JSON.parse(opened(model).rank.value)).toMatchObject({
      template: expect.stringMatching(/^.{1,64}$/),
    })
  })
})
