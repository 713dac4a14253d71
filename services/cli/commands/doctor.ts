import { Command } from 'commander'
import { describeCapture } from '../doctor/capture-report.ts'
import { CHECKS, type CheckResult, runChecks } from '../doctor/doctor.ts'
import { readInvocation } from '../invocation.ts'

const SOMETHING_TO_MEND = 2

/** Tries every connection and setting that the services will need, and says what to mend. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description(`check ${CHECKS.map((check) => check.name).join(', ')}`)
    .action(async (_: unknown, command: Command) => {
      const { settings, json } = readInvocation(command)
      const results = await runChecks(settings)
      if (results.some((result) => result.error !== undefined)) process.exitCode = SOMETHING_TO_MEND
      process.stdout.write(json ? `${JSON.stringify(results)}\n` : results.map(describe).join(''))
    })
}

function describe({ name, error, capture, warnings = [] }: CheckResult): string {
  const details = [
    ...(error === undefined ? [] : [error]),
    ...(capture ? describeCapture(capture) : []),
    ...warnings,
  ]
  const verdict = error === undefined ? 'ok   ' : 'WRONG'
  return [`  ${verdict}  ${name}`, ...details.map((line) => `         ${line}`), ''].join('\n')
}
