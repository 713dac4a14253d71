import { rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { stopContainers } from './docker.ts'
import { systemDataFolder } from './home-folders.ts'
import { lockFile } from './lock-file.ts'
import { isRunning } from './process-identity.ts'
import { readProcessRecords, readProjectRecord, removeRecord } from './run-records.ts'
import { type NativeProcess, removeServices } from './services-file.ts'
import { stopProcess } from './stop-process.ts'

export interface DownOptions {
  readonly home: string
  /** Also removes the servers' data and logs. */
  readonly purge?: boolean
  /** Takes one line of progress. */
  readonly report: (line: string) => void
}

const LOCK_MS = 10 * 60_000

/**
 * Stops what `up` started here, and only that; also after a crash. Data and ports are kept unless `purge`.
 * @throws SERVICE_STOP_FAILED, HOME_BUSY
 */
export async function down({ home, purge = false, report }: DownOptions): Promise<void> {
  {
    using _lock = await lockFile(join(home, 'lock'), {
      deadlineMs: LOCK_MS,
      onWait: (pid) => report(`waits for process ${pid}, which works on ${home}`),
    })
    removeServices(home) // nobody starts on addresses that are about to end
    const project = readProjectRecord(home)
    if (project && (project.running || purge)) {
      report('docker: stops the containers')
      await stopContainers(home, { purge })
    }
    await Promise.all(readProcessRecords(home).map((record) => stop(home, record, report)))
    if (purge) removeData(home, report)
  }
  if (purge) removeIfEmpty(home)
}

async function stop(home: string, record: NativeProcess, report: DownOptions['report']): Promise<void> {
  const ran = isRunning(record)
  await stopProcess(record.name, record)
  removeRecord(home, record.name)
  report(`${record.name}: ${ran ? 'stopped' : 'had ended already'}`)
}

function removeData(home: string, report: DownOptions['report']): void {
  for (const folder of [...['data', 'logs', 'run'].map((name) => join(home, name)), systemDataFolder(home)])
    rmSync(folder, { recursive: true, force: true })
  report('data and logs removed')
}

/** Whatever else lies in the home is not ours. */
function removeIfEmpty(home: string): void {
  try {
    rmdirSync(home)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error
  }
}
