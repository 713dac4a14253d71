/**
 * Servers that several test runs share: `node test/hold-servers.ts <file>` writes what names them into the file, as lines
 * for a shell, once all of them answer; it ends, and they with it, when it is asked to (SIGTERM).
 */
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { startServers } from './start-servers.ts'

const file = process.argv[2]
if (file === undefined) throw new Error('node test/hold-servers.ts <file>')

const stop = new AbortController()
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort())
await using _servers = await startServers('test', stop.signal)
// Written aside: who waits for the file finds it whole.
writeFileSync(`${file}.new`, variables().join(''))
renameSync(`${file}.new`, file)
if (!stop.signal.aborted) {
  const life = setInterval(() => {}, 60_000)
  await once(stop.signal, 'abort')
  clearInterval(life)
}

function variables(): string[] {
  return Object.entries(process.env)
    .filter(([name]) => name.startsWith('FRESHET_'))
    .map(([name, value]) => `export ${name}='${value?.replaceAll("'", "'\\''")}'\n`)
}
