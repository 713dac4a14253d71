import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** The program, from the PyPI package of that name; undefined where there is none. */
export const SCHEMATHESIS = process.env['SCHEMATHESIS']
/** A request that is not answered for so long hangs, however busy the machine is. */
const HANG_SECONDS = 10

export interface FuzzOptions {
  readonly url: string
  readonly key: string
  readonly seed: number
  readonly seconds: number
}

/** Those that hold an answer against the document. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
]

/** Asks whatever the OpenAPI document describes, and holds the answers against it. */
export async function schemathesis(document: object, { url, key, seed, seconds }: FuzzOptions): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-fuzz-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document))
  writeFileSync(join(folder, 'schemathesis.toml'), CONFIG)
  const program = spawn(
    SCHEMATHESIS!,
    [
      ...['run', 'openapi.json', '--url', url, '--no-color'],
      ...['--header', `Authorization: Bearer ${key}`],
      ...['--phases', 'coverage,fuzzing', '--max-time', `${seconds}`, '--workers', '1'],
      ...['--checks', CHECKS.join(',')],
      ...['--request-timeout', `${HANG_SECONDS}`, '--continue-on-failure', '--seed', `${seed}`],
      ...['--generation-database', 'none', '--warnings', 'off'],
      ...['--report', 'json', '--report-json-path', 'report.json'],
    ],
    { cwd: folder, env: { ...process.env, COLUMNS: '200' } },
  )
  let output = ''
  for (const stream of [program.stdout, program.stderr])
    stream.setEncoding('utf8').on('data', (text) => void (output += String(text)))
  const [code] = (await once(program, 'close')) as [number]
  const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report
  return { code, report, output }
}

export interface Run {
  readonly code: number
  readonly report: Report
  readonly output: string
}

/** 503 with `retry-after` is said on purpose, of what is too much at once, and of a rank with nothing to show. */
const CONFIG = '[checks]\nnot_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503]\n'

/** What of schemathesis' report is looked at. */
interface Report {
  readonly complete: boolean
  readonly failures: readonly unknown[]
  readonly errors: readonly unknown[]
  readonly test_cases: { readonly generated: number }
  /** Of each operation and phase, how many well-formed requests ended in which way. */
  readonly valid_rates: Readonly<Record<string, Readonly<Record<string, Outcomes>>>>
}
type Outcomes = Readonly<Record<'accepted' | 'unreachable' | 'conflicts' | 'rejected', number>>

/** Of its parser, now and then: schemathesis then leaves cases of one operation out. Another seed makes other cases. */
export const FAULT_OF_PYTHON = 'SystemError: AST constructor recursion depth mismatch'

export function isTaken({ valid_rates }: Report, operation: string): boolean {
  return Object.values(valid_rates[operation] ?? {}).some(({ accepted }) => accepted > 0)
}

/** Those that were asked at least once. */
export function operationsIn({ valid_rates }: Report): readonly string[] {
  return Object.entries(valid_rates)
    .filter(([, phases]) =>
      Object.values(phases).some((ends) => Object.values(ends).some((count) => count > 0)),
    )
    .map(([operation]) => operation)
    .toSorted()
}
