import { readFlights } from '@freshet/demo/flights.ts'
import { filesOf, objectKey, readManifest } from '@freshet/snapshot/manifest.ts'
import { expect, test } from 'vitest'
import { freshet } from './freshet.ts'
import { Stack } from './stack.ts'
import { until } from './until.ts'

const flights = (await readFlights()).slice(0, 100)

test('a lost file of the snapshot is found, dropped, and its rows come back by scoring again, deletes too', async () => {
  await using stack = await Stack.open({ FRESHET_SWEEP_PAUSE_SECONDS: '0.5' })
  await stack.write(Object.fromEntries(flights.map(({ id, document }) => [id, document])))
  stack.start('poller', 'scorer')
  await stack.conserved()
  await stack.client.delete({ index: stack.index, id: flights[0]!.id })
  await stack.conserved()

  let found = ''
  await until('a file of the snapshot is lost', async () => {
    // A merge that is under way may still put another in its place.
    for (const object of await filesIn(stack)) await stack.store.delete(objectKey(object))
    const { code, stdout } = await freshet(['snapshot', 'check', '--json'], stack.env)
    found = stdout
    return code === 1
  })
  expect(JSON.parse(found).bad[0]).toMatchObject({ code: 'SNAPSHOT_FILE_MISSING' })
  expect((await freshet(['snapshot', 'drop'], stack.env)).code).toBe(0)
  expect((await freshet(['snapshot', 'check'], stack.env)).code).toBe(0)

  expect((await freshet(['model', 'promote', '--again'], stack.env)).code).toBe(0)
  await stack.conserved()
}, 288_000)

/** Relative names of all files that the manifest names. */
async function filesIn({ store, settings }: Stack): Promise<string[]> {
  const { manifest } = (await readManifest(store, settings.pipeline))!
  return Object.values(manifest.partitions)
    .flatMap(filesOf)
    .map(({ object }) => object)
}
