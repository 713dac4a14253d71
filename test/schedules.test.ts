import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FOLDER = join(ROOT, 'infra/schedules')
const DAG = join(FOLDER, 'freshet_once.py')

/** A Python that has Airflow: it is large, so CI says whether it could be installed in time. */
const AIRFLOW_PYTHON = process.env['AIRFLOW_PYTHON']

function run(program: string, args: readonly string[], env = {}): SpawnSyncReturns<string> {
  return spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 60_000 })
}

const has = (program: string) => run(program, ['--version']).status === 0

function textOf(name: string): string {
  return readFileSync(join(FOLDER, name), 'utf8')
}

/** What is run, and after how many seconds it is killed. */
function scheduled(): { command: string; killedAfterSeconds: number }[] {
  const once = textOf('freshet-once.service')
  const daily = textOf('freshet-daily.service')
  const dag = textOf('freshet_once.py')
  const deadlineOfDag = Number(/SECONDS", "(\d+)"/.exec(dag)![1])
  return [
    {
      command: /^ONCE=(.*)$/m.exec(textOf('crontab'))![1]!,
      killedAfterSeconds: Number(/timeout -k 30 (\d+) \$ONCE/.exec(textOf('crontab'))![1]),
    },
    {
      command: /^ExecStart=\/opt\/freshet\/(.*)$/m.exec(once)![1]!,
      killedAfterSeconds: Number(/^TimeoutStartSec=(\d+)$/m.exec(once)![1]),
    },
    {
      command: /^ExecStart=\/opt\/freshet\/(.*)$/m.exec(daily)![1]!,
      killedAfterSeconds: Number(/^TimeoutStartSec=(\d+)h$/m.exec(daily)![1]) * 3_600,
    },
    {
      command: `${/exec (node_modules.*) "$/m.exec(dag)![1]!} --json once --deadline ${deadlineOfDag}`,
      killedAfterSeconds:
        deadlineOfDag +
        Number(/execution_timeout=timedelta\(seconds=DEADLINE_SECONDS \+ (\d+)\)/.exec(dag)![1]),
    },
  ]
}

test('each schedule runs once as the command line has it, and kills it only well after its own deadline', () => {
  for (const { command, killedAfterSeconds } of scheduled()) {
    const words = command.split(' ')
    const deadlineSeconds = Number(words.at(-1))
    expect(killedAfterSeconds).toBeGreaterThanOrEqual(deadlineSeconds + 300)
    const [node, ...args] = words
    const asked = spawnSync(join(ROOT, node!), [...args, '--help'], { cwd: ROOT, encoding: 'utf8' })
    expect(asked, command).toMatchObject({ status: 0, stdout: expect.stringContaining('--deadline') })
  }
})

test('a run that is longer than the interval is joined by no second one', () => {
  expect(textOf('crontab')).toMatch(/^\*\/5 \* \* \* \* .*flock -n -E 0 /m)
  expect(textOf('freshet-once.timer')).toMatch(/^OnUnitInactiveSec=5min$/m)
  expect(textOf('freshet_once.py')).toMatch(/max_active_runs=1,\n/)
})

test('servers live in a unit of their own, which the run of the day waits for and the machine stops after it', () => {
  const servers = textOf('freshet-servers.service')
  const daily = textOf('freshet-daily.service')
  expect(servers).toMatch(/^Type=oneshot\nRemainAfterExit=yes$/m)
  expect(servers).toMatch(/^ExecStart=.* services\/cli\/freshet\.ts up --mode native$/m)
  expect(servers).toMatch(/^ExecStop=.* services\/cli\/freshet\.ts down$/m)
  expect(daily).toMatch(/^Requires=freshet-servers\.service\nAfter=freshet-servers\.service$/m)
  for (const unit of [servers, daily]) expect(unit).not.toMatch(/^ExecStart(Pre|Post)=/m)
})

test('systemd finds nothing wrong with the units', ({ skip }) => {
  if (!has('systemd-analyze')) skip('there is no systemd-analyze on the PATH to ask')
  const folder = mkdtempSync(join(tmpdir(), 'units-'))
  try {
    const units = readdirSync(FOLDER).filter((name) => /\.(service|timer)$/.test(name))
    for (const name of units) {
      const here = textOf(name).replaceAll('/opt/freshet/', ROOT).replaceAll('/opt/freshet', ROOT)
      writeFileSync(join(folder, name), here.replace('User=freshet', 'User=root'))
    }
    const { status, stderr } = run('systemd-analyze', ['verify', ...units.map((name) => join(folder, name))])
    const ours = stderr.split('\n').filter((line) => line.includes('freshet'))
    expect({ status, ours }).toEqual({ status: 0, ours: [] })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the file for Airflow is Python', ({ skip }) => {
  if (!has('python3')) skip('there is no python3 on the PATH to read it')
  const program = 'import ast, sys; ast.parse(open(sys.argv[1]).read())'
  expect(run('python3', ['-c', program, DAG])).toMatchObject({ status: 0, stderr: '' })
})

test('Airflow reads a DAG of one task that runs every five minutes, never twice at once', {
  timeout: 120_000,
}, ({ skip }) => {
  if (AIRFLOW_PYTHON === undefined) skip('AIRFLOW_PYTHON names no Python that has Airflow')
  const home = mkdtempSync(join(tmpdir(), 'airflow-'))
  try {
    const env = {
      AIRFLOW_HOME: home,
      AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
      FRESHET_FOLDER: '/srv/my folder',
    }
    const { stdout, stderr } = run(AIRFLOW_PYTHON!, [join(FOLDER, 'read_dag.py'), DAG], env)
    const read = stdout.trimEnd().split('\n').at(-1) ?? ''
    expect(JSON.parse(read), stderr).toEqual({
      errors: {},
      dags: {
        freshet_once: {
          schedule: '*/5 * * * *',
          maxActiveRuns: 1,
          catchup: false,
          commands: [expect.stringMatching(/^cd '\/srv\/my folder' && exec .* --json once --deadline 1200$/)],
          timeoutSeconds: [1_500],
        },
      },
    })
  } finally {
    rmSync(home, { recursive: true })
  }
})
