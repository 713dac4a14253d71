import { describe, expect, test } from 'vitest'
import { duration, seconds, wholeNumber } from './arguments.ts'

describe('a whole number', () => {
  test.each(['0', '7', '007', '9007199254740991'])('%j is one', (text) => {
    expect(wholeNumber({ from: 0 })(text)).toBe(Number(text))
  })

  test.each(['', ' ', '1.5', '-1', '1e3', '0x10', 'Infinity', 'NaN', '12 ', '9007199254740993', 'many'])(
    '%j is none',
    (text) => expect(() => wholeNumber({ from: 0 })(text)).toThrow('It must be a whole number from 0.'),
  )

  test('outside of its range it is refused, and the range is told', () => {
    const sample = wholeNumber({ from: 1, to: 100 })
    expect([sample('1'), sample('100')]).toEqual([1, 100])
    for (const text of ['0', '101'])
      expect(() => sample(text)).toThrow('It must be a whole number from 1 to 100.')
  })
})

describe('seconds', () => {
  test.each(['0.1', '1', '3600', '2000000'])('%j is a time', (text) => {
    expect(seconds()(text)).toBe(Number(text))
  })

  test.each(['', '0', '-1', 'Infinity', 'NaN', '1h', '.5', '2000001'])('%j is none', (text) =>
    expect(() => seconds()(text)).toThrow('It must be a number of seconds above 0, at most 2000000.'),
  )

  test('none at all may be a time too', () => {
    expect(seconds({ orNone: true })('0')).toBe(0)
    expect(() => seconds({ orNone: true })('-1')).toThrow('It must be a number of seconds from 0,')
  })
})

describe('a duration', () => {
  test.each([
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['1.5h', 5_400_000],
    ['30d', 2_592_000_000],
  ])('%s is one', (text, ms) => {
    expect(duration({ mostDays: 30 })(text)).toBe(ms)
  })

  test.each(['', '0s', '90', '-1h', '1w', '1h30m', '31d', 'Infinityd'])('%j is none', (text) =>
    expect(() => duration({ mostDays: 30 })(text)).toThrow(
      'It must be a time such as 90s, 30m, 2h or 3d, at most 30d.',
    ),
  )
})
