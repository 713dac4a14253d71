/** `freshet verify` as a process of its own, and what its tests need around it. */
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { readFlights } from '@freshet/demo/flights.ts'
import { readCursors } from '@freshet/reconcile/read-cursors.ts'
import { totalOf, type VerifyReport } from '@freshet/reconcile/verify-report.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { freshet } from '../freshet.ts'
import type { Stack } from '../stack.ts'
import { until } from '../until.ts'

export const flights = await readFlights()

/** Documents by their ids. */
export const some = (count: number, from = 0) =>
  Object.fromEntries(flights.slice(from, from + count).map(({ id, document }) => [id, document]))

/** @returns its exit code beside what it reports */
export async function verify(stack: Stack, ...args: string[]) {
  const { code, stdout, stderr } = await freshet(['--json', 'verify', ...args], stack.env)
  if (stdout === '') throw new Error(`verify ended with ${code}: ${stderr}`)
  const report = JSON.parse(stdout) as VerifyReport
  return { code, report, total: totalOf(report) }
}

export const connectionOf = (stack: Stack) =>
  connectKafka(stack.settings.kafka, { clientId: 'test', log: quietLog })

/** Resolves when the poller has emitted all that was written before. */
export async function captured(stack: Stack, operations: number): Promise<void> {
  await until('everything is captured', async () => {
    const cursors = await readCursors(
      connectionOf(stack),
      stack.settings.pipeline,
      AbortSignal.timeout(30_000),
    )
    return [...cursors.values()].reduce((sum, { seqNo }) => sum + seqNo + 1, 0) >= operations
  })
}
