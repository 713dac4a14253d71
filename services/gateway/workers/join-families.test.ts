import { expect, test } from 'vitest'
import { joinFamilies } from './join-families.ts'

const answers = (source: string, value: number) => ({
  name: 'freshet_answers_total',
  kind: 'counter' as const,
  help: 'Answers.',
  samples: [{ labels: { source }, value }],
})

test('figures of several workers are one page, where every sample says whose it is', () => {
  const joined = joinFamilies(
    new Map([
      [2, [answers('cache', 5)]],
      [1, [answers('cache', 3)]],
    ]),
  )
  expect(joined).toEqual([
    {
      ...answers('cache', 0),
      samples: [
        { labels: { source: 'cache', worker: '1' }, value: 3 },
        { labels: { source: 'cache', worker: '2' }, value: 5 },
      ],
    },
  ])
})
