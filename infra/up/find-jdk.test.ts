import { isFreshetError } from '@freshet/errors/errors.ts'
import { expect, test } from 'vitest'
import { chooseJdk, parseJavaVersion } from './find-jdk.ts'

test.each([
  ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17],
  ['openjdk version "25" 2025-09-16', 25],
  ['openjdk version "26-ea" 2026-03-17', 26],
  ['java version "1.8.0_432"', 8],
  ['Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "21.0.5" 2024-10-15 LTS', 21],
  ['The operation couldn’t be completed. Unable to locate a Java Runtime.', undefined],
])('the version of a Java is read from what it says: %j', (text, major) => {
  expect(parseJavaVersion(text)).toBe(major)
})

const jdks = [17, 21, 25, 27].map((major) => ({ home: `/jdk/${major}`, major }))

test('a server gets the newest Java that it has been tried with', () => {
  expect(chooseJdk(jdks, { atLeast: 17, purpose: 'Kafka' }).major).toBe(25)
})

test('a Java newer than any tried is taken only when there is no other', () => {
  expect(chooseJdk(jdks, { atLeast: 26, purpose: 'Kafka' }).major).toBe(27)
})

test('a missing Java is an error that says what to install and what was found', () => {
  const choose = () => chooseJdk([{ home: '/jdk/11', major: 11 }], { atLeast: 17, purpose: 'Kafka' })
  expect(choose).toThrow(/Kafka needs Java 17.*11 at \/jdk\/11.*apt install.*brew install.*dnf install/)
  expect(choose).toThrow(expect.toSatisfy((error) => isFreshetError(error, 'TOOL_MISSING')))
})
