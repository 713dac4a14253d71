import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { parseWith } from './parse-with.ts'

const schema = z.strictObject({ rows: z.array(z.strictObject({ n: z.number() })) })
const parse = (text: string) => parseWith(schema, text, { code: 'MODEL_INVALID', what: 'golden' })

test('what is as the schema says is the value', () => {
  expect(parse('{"rows":[{"n":1}]}')).toEqual({ rows: [{ n: 1 }] })
})

describe('the first thing that is wrong is named', () => {
  test.each([
    ['text that is no JSON', '{', /^golden is not JSON$/],
    ['a value deep inside', '{"rows":[{"n":1},{"n":"x"},{"n":"y"}]}', /^golden: rows\.1\.n: /],
    ['the whole', '7', /^golden: top level: /],
  ])('%s', (_, text, message) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }))
    expect(() => parse(text)).toThrow(message)
  })
})
