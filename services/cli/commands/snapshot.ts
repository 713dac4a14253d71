import { hostname } from 'node:os'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { writeLatest } from '@freshet/snapshot/latest.ts'
import { filesOf, readManifest } from '@freshet/snapshot/manifest.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { Command } from 'commander'
import { interruptible } from '../interruptible.ts'
import { readInvocation } from '../invocation.ts'
import { ProgressLine } from '../progress-line.ts'
import { type BadFile, checkFiles } from '../snapshot/check-files.ts'
import { dropFiles } from '../snapshot/drop-files.ts'

const NOT_WHOLE = 1

/** What to do when a file of the snapshot is missing or damaged: docs/05-snapshots.md. */
export function snapshotCommand(): Command {
  return new Command('snapshot')
    .description('look after the snapshot in S3')
    .addCommand(
      new Command('check')
        .description('read every file of the snapshot; exit code 1 when one is missing or damaged')
        .action((_: unknown, command: Command) => runOn(command, { drop: false })),
    )
    .addCommand(
      new Command('drop')
        .description('take files that are missing or damaged out of the snapshot')
        .addHelpText(
          'after',
          `
Their rows are gone from the snapshot then: put a copy of the file back instead, if there is one. Safe while scorers run.
Then \`freshet model promote --again\` scores everything again, and brings the rows back.`,
        )
        .action((_: unknown, command: Command) => runOn(command, { drop: true })),
    )
}

async function runOn(command: Command, { drop }: { drop: boolean }): Promise<void> {
  const { settings, json } = readInvocation(command)
  process.exitCode = await interruptible(async (signal) => {
    await using store = openS3(settings.s3)
    const { files, bad } = await check(store, settings, signal)
    if (drop && bad.length > 0) await dropBad(store, settings, bad, signal)
    const result = { files, bad, dropped: drop }
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : describe(result))
    return bad.length > 0 && !drop ? NOT_WHOLE : 0
  })
}

async function check(
  store: ObjectStore,
  { pipeline }: Settings,
  signal: AbortSignal,
): Promise<{ files: number; bad: BadFile[] }> {
  using line = new ProgressLine(process.stderr, systemClock)
  const manifest = (await readManifest(store, pipeline, signal))?.manifest
  if (manifest === undefined) return { files: 0, bad: [] }
  const files = Object.values(manifest.partitions).flatMap(filesOf).length
  let read = 0
  const onFile = ({ object }: { object: string }) => line.show(`file ${++read} of ${files}: ${object}`)
  return { files, bad: await checkFiles(store, manifest, onFile, signal) }
}

async function dropBad(
  store: ObjectStore,
  { pipeline }: Settings,
  bad: readonly BadFile[],
  signal: AbortSignal,
): Promise<void> {
  const instance = `freshet-snapshot-${hostname()}-${process.pid}`
  const committer = { store, pipeline, instance, clock: systemClock }
  await dropFiles(committer, new Set(bad.map(({ object }) => object)), signal)
  await writeLatest(store, pipeline, signal)
}

function describe({
  files,
  bad,
  dropped,
}: {
  files: number
  bad: readonly BadFile[]
  dropped: boolean
}): string {
  if (files === 0) return 'there is no snapshot yet\n'
  if (bad.length === 0) return `all ${files} files of the snapshot can be read\n`
  const lines = bad.map(({ object, rows, code, message }) => `  ${object} (${rows} rows): ${code} ${message}`)
  const next = dropped
    ? 'They are out of the snapshot. To bring the rows back: freshet model promote --again'
    : 'Put copies of them back; without copies: freshet snapshot drop, then freshet model promote --again'
  return `${bad.length} of ${files} files of the snapshot cannot be read:\n${lines.join('\n')}\n${next}\n`
}
