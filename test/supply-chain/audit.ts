/**
 * `npm run audit`: known weaknesses of the packages that run in production, as the registry knows them. Ends with 1 where
 * there is a high or critical one. A registry that does not answer such questions, or not in time, is said aloud and
 * fails nothing: what is not known is not a weakness, and someone else's outage should not stop a release of ours.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { judgeAudit } from './judge-audit.ts'

const WITHIN_MS = 60_000
const ROOT = join(import.meta.dirname, '../..')

const { stdout, error } = spawnSync('npm', ['audit', '--omit=dev', '--workspace=@freshet/cli', '--json'], {
  cwd: ROOT,
  encoding: 'utf8',
  timeout: WITHIN_MS,
  maxBuffer: 64 * 1024 * 1024,
})
const { passes, lines } = judgeAudit(stdout ?? '', error?.message)
process.stdout.write(lines.map((line) => `${line}\n`).join(''))
process.exitCode = passes ? 0 : 1
