import { expect, test } from 'vitest'
import { downloadedBytes } from './maven.ts'

test.each([
  ['[INFO] Downloaded from central: https://repo.example/zstd-jni-1.5.6.jar (6.7 MB at 26 MB/s)', 6_700_000],
  ['Downloaded from mirror: https://repo.example/a.pom (159 kB at 921 kB/s)', 159_000],
  ['[INFO] Downloading from central: https://repo.example/a.jar', 0],
  ['[INFO] BUILD SUCCESS', 0],
])('progress counts what Maven says it has fetched: %s', (line, bytes) => {
  expect(downloadedBytes(line)).toBe(bytes)
})
