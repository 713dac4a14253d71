/** What infra/access/kafka-acls.sh asks of Kafka's tool, in whose place something notes it down. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface KafkaRule {
  /** Without `freshet-`. */
  readonly user: string
  readonly kind: 'topic' | 'group'
  readonly name: string
  readonly isPrefix: boolean
  /** As Kafka's tool names them, e.g. `DescribeConfigs`. */
  readonly operations: readonly string[]
}

const SCRIPT = join(import.meta.dirname, '../../infra/access/kafka-acls.sh')

export function kafkaRules(pipeline: string): readonly KafkaRule[] {
  return callsOf(pipeline).map((words) => {
    const valuesOf = (option: string) =>
      words.flatMap((word, at) => (word === option ? [words[at + 1]!] : []))
    const [topic] = valuesOf('--topic')
    return {
      user: valuesOf('--allow-principal')[0]!.replace('User:freshet-', ''),
      kind: topic === undefined ? 'group' : 'topic',
      name: topic ?? valuesOf('--group')[0]!,
      isPrefix: valuesOf('--resource-pattern-type')[0] === 'prefixed',
      operations: valuesOf('--operation'),
    }
  })
}

function callsOf(pipeline: string): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-acls-'))
  try {
    const notes = join(folder, 'notes')
    const tool = join(folder, 'kafka-acls.sh')
    writeFileSync(tool, `#!/bin/sh\necho "$@" >>'${notes}'\n`)
    chmodSync(tool, 0o755)
    const env = {
      PATH: `${folder}:/usr/bin:/bin`,
      BOOTSTRAP: 'b:1',
      COMMAND_CONFIG: 'c',
      PIPELINE: pipeline,
    }
    const { status, stderr } = spawnSync('sh', [SCRIPT], { env, encoding: 'utf8', timeout: 30_000 })
    if (status !== 0 || stderr !== '') throw new Error(`${SCRIPT} ended with ${status}: ${stderr}`)
    return readFileSync(notes, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
