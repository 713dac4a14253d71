import { golden } from '@freshet/records/golden/golden.kit.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { generationsRecord } from './generations.ts'
import {
  type ModelPointer,
  modelPointerRecord,
  promoted,
  promotedAgain,
  rolledBack,
} from './model-pointer.ts'
import { shadowPointerRecord } from './shadow-pointer.ts'

describe('bytes', () => {
  test('a model pointer of version 1 keeps its bytes', () => {
    const text = golden('model-pointer-with-previous.v1.txt').toString()
    expect(modelPointerRecord.encode(modelPointerRecord.decode(text))).toBe(text)
    expect(modelPointerRecord.decode(text).previous).toMatchObject([{ modelVersion: '1', generation: 2 }])
  })

  test('a pointer from before there was a history is one without', () => {
    const pointer = modelPointerRecord.decode(golden('model-pointer.v1.txt'))
    expect(pointer).toMatchObject({ modelVersion: '2', generation: 3, previous: [] })
  })

  test('the last generation of version 1 keeps its bytes', () => {
    const text = golden('last-generation.v1.txt').toString()
    expect(generationsRecord.encode(generationsRecord.decode(text))).toBe(text)
  })

  test('a shadow pointer of version 1 keeps its bytes', () => {
    const text = golden('shadow-pointer.v1.txt').toString()
    expect(shadowPointerRecord.encode(shadowPointerRecord.decode(text))).toBe(text)
    expect(() => shadowPointerRecord.decode('{"version":2}')).toThrow(
      'shadow pointer version 2, this build reads 1',
    )
  })
})

type Move = { readonly kind: 'promote'; readonly version: string } | { readonly kind: 'again' | 'rollBack' }

const move = fc.oneof(
  fc.record({ kind: fc.constant('promote' as const), version: fc.constantFrom('1', '2', '3') }),
  fc.record({ kind: fc.constantFrom('again' as const, 'rollBack' as const) }),
)

function apply(pointer: ModelPointer | null, move: Move, promotedAtMs: number): ModelPointer | null {
  const stamp = { generation: (pointer?.generation ?? 0) + 1, promotedAtMs }
  if (move.kind === 'promote') {
    const model = { name: 'm', modelVersion: move.version, sha256: move.version }
    return promoted(model, pointer, stamp)
  }
  if (pointer === null) return null
  return move.kind === 'again' ? promotedAgain(pointer, stamp) : (rolledBack(pointer, stamp) ?? pointer)
}

test('whatever is done in whatever order, each step outranks all before, and going back undoes the last promotion', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 30 }), (moves) => {
      let pointer: ModelPointer | null = null
      /** What a person would remember: the models that were current, the newest last. */
      let remembered: string[] = []
      for (const [nowMs, move] of moves.entries()) {
        const before: ModelPointer | null = pointer
        pointer = apply(pointer, move, nowMs)
        if (move.kind === 'promote') remembered = [...remembered, move.version].slice(-11)
        else if (move.kind === 'rollBack' && remembered.length > 1) remembered = remembered.slice(0, -1)
        if (pointer !== before) expect(pointer!.generation).toBe((before?.generation ?? 0) + 1)
        const known =
          pointer === null ? [] : [pointer, ...pointer.previous].map((model) => model.modelVersion)
        expect(known).toEqual(remembered.toReversed())
      }
    }),
  )
})
