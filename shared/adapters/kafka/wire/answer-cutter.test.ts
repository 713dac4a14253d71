import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AnswerCutter } from './answer-cutter.ts'

const body = fc.uint8Array({ minLength: 4, maxLength: 300 })

function framed(bytes: Uint8Array, length = bytes.length): Buffer {
  const head = Buffer.alloc(4)
  head.writeInt32BE(length)
  return Buffer.concat([head, bytes])
}

test('answers come out whole and in order, wherever the stream is cut, from memory that is used again', () => {
  fc.assert(
    fc.property(
      fc.array(body),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (bodies, sizes) => {
        const stream = Buffer.concat(bodies.map((bytes) => framed(bytes)))
        const cutter = new AnswerCutter()
        const answers: Buffer[] = []
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const piece = Buffer.from(stream.subarray(at, at + sizes[turn % sizes.length]!))
          at += piece.length
          cutter.take(piece, (answer) => answers.push(answer))
          piece.fill(0xff)
        }
        expect(answers).toEqual(bodies.map((bytes) => framed(bytes)))
      },
    ),
  )
})

test('one that is larger than what is taken at once grows as it comes', () => {
  const bytes = Buffer.alloc(20_000_000, 'abc')
  const cutter = new AnswerCutter()
  const answers: Buffer[] = []
  const stream = framed(bytes)
  for (let at = 0; at < stream.length; at += 3_000_000)
    cutter.take(stream.subarray(at, at + 3_000_000), (answer) => answers.push(answer))
  expect(answers).toHaveLength(1)
  expect(answers[0]!.equals(stream)).toBe(true)
})

test('a length that cannot be one is told', () => {
  for (const length of [-1, 0, 3])
    expect(() => new AnswerCutter().take(framed(Buffer.alloc(8), length), () => {})).toThrow(
      expect.objectContaining({ code: 'KAFKA_CORRUPT' }),
    )
})
