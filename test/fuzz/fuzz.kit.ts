/**
 * What every parser of bytes from outside promises, asked of valid bytes, of the files of its corpus, of valid bytes that
 * were meddled with, and of bytes at random: a value that its schema allows or one of its own errors; never another
 * exception, never a hang, no more memory than the input accounts for, and nothing in the prototype that all objects share.
 *
 * Not proved: that a mutated value is the right one where nothing guards it. Where a checksum does, the parser's own test
 * compares. Memory is what is there after the call and was not before: what a collection takes away in between is not
 * seen, a buffer of gigabytes is.
 */
import { Buffer } from 'node:buffer'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { getHeapStatistics } from 'node:v8'
import { type ErrorCode, isFreshetError } from '@freshet/errors/errors.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HangWatch } from './hang-watch.kit.ts'
import { HOSTILE_TEXTS, mutatedJson } from './mutated-json.kit.ts'
import { damaged, tornAt } from './mutations.kit.ts'

const CORPUS = join(import.meta.dirname, 'corpus')
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 150)
const MEBIBYTE = 2 ** 20

export interface FuzzedParser {
  /** Also the folder of its corpus. */
  readonly name: string
  readonly format: 'json' | 'bytes'
  /** What it may throw. */
  readonly codes: readonly ErrorCode[]
  /** At least one. */
  readonly valid: readonly Buffer[]
  /**
   * Reads the bytes to the last field, and fails where what it got is nothing that the schema allows.
   * @throws whatever the parser throws
   */
  readonly read: (bytes: Buffer) => unknown
  /** Memory that a call may keep; left out: some of any input, and 200 bytes for each of the input. */
  readonly maxKeptBytes?: (inputBytes: number) => number
  /** Runs for each that others have: below 1 for what is slow. */
  readonly share?: number
}

export function fuzz(parser: FuzzedParser): void {
  const runs = { numRuns: Math.max(1, Math.round(RUNS * (parser.share ?? 1))) }
  const valid = fc.constantFrom(...parser.valid)
  const attempt = (bytes: Buffer) => attemptTo(parser, bytes)
  const survives = async (bytes: Buffer) => {
    await attempt(bytes)
  }

  describe(`the parser ${parser.name}`, () => {
    test.each(corpusOf(parser.name))('keeps its promise on %s of its corpus', async (file) => {
      await attempt(readFileSync(join(CORPUS, parser.name, file)))
    })

    test('reads what is valid', async () => {
      for (const bytes of parser.valid) expect(await attempt(bytes), bytes.toString('latin1')).toBe('a value')
    })

    test('keeps its promise on what is cut off anywhere', async () => {
      const most = 400 * (parser.share ?? 1)
      for (const bytes of parser.valid) for (const torn of tornAt(bytes, most)) await attempt(torn)
    })

    test('keeps its promise on bytes that were meddled with', async () => {
      await fc.assert(fc.asyncProperty(valid.chain(damaged), survives), runs)
    })

    test('keeps its promise on bytes at random', async () => {
      const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
      await fc.assert(fc.asyncProperty(random, survives), runs)
    })

    if (parser.format === 'json') {
      test.each(HOSTILE_TEXTS)('keeps its promise on $what', async ({ text }) => {
        await attempt(Buffer.from(text()))
      })

      test('keeps its promise on JSON with other values, fields twice, and fields less', async () => {
        const meddled = valid.chain((bytes) => mutatedJson(bytes.toString())).map((text) => Buffer.from(text))
        await fc.assert(fc.asyncProperty(meddled, survives), runs)
      })
    }
  })
}

function corpusOf(name: string): string[] {
  const folder = join(CORPUS, name)
  return existsSync(folder) ? readdirSync(folder).sort() : ['nothing yet'].slice(1)
}

const watch = new HangWatch()
const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype]
const untouched = PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).length)

async function attemptTo(parser: FuzzedParser, bytes: Buffer): Promise<string> {
  const { name, codes, read } = parser
  const maxKept = parser.maxKeptBytes?.(bytes.length) ?? 200 * bytes.length + 16 * MEBIBYTE
  watch.begins(name, bytes)
  const before = heldBytes()
  let outcome = 'a value'
  try {
    await read(bytes)
  } catch (error) {
    if (!isFreshetError(error) || !codes.includes(error.code))
      throw new Error(`${name} threw ${error}. ${howToKeep(name, bytes)}`, { cause: error })
    outcome = error.code
  } finally {
    watch.ended()
  }
  const kept = heldBytes() - before
  if (kept > maxKept)
    throw new Error(`${name} took ${kept} bytes for ${bytes.length}. ${howToKeep(name, bytes)}`)
  if (PROTOTYPES.some((prototype, i) => Reflect.ownKeys(prototype).length !== untouched[i]))
    throw new Error(`${name} changed a prototype. ${howToKeep(name, bytes)}`)
  return outcome
}

function heldBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
  return heap + external
}

function howToKeep(name: string, bytes: Buffer): string {
  return `Mend it, and keep these bytes, shrunk and under a name that says what they are:
  mkdir -p test/fuzz/corpus/${name}; echo ${bytes.toString('base64')} | base64 -d > test/fuzz/corpus/${name}/<what it is>`
}
