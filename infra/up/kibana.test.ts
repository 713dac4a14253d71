import { StandInKibana } from '@freshet/kibana/import/stand-in-kibana.kit.ts'
import { expect, test } from 'vitest'
import { bringToKibana } from './kibana.ts'

async function told(kibana: { url?: string; waitSeconds: number }): Promise<string[]> {
  const lines: string[] = []
  const report = (line: string) => void lines.push(line)
  await bringToKibana({ kibana }, { report, signal: AbortSignal.timeout(30_000) })
  return lines
}

test('`freshet up` says what it brought to Kibana, and goes on without one', async () => {
  expect(await told({ waitSeconds: 0 })).toEqual(['Kibana: kibana.url names none, so nothing is imported'])
  const kibana = await StandInKibana.open()
  const { url } = kibana
  expect(await told({ url, waitSeconds: 0 })).toEqual([
    expect.stringMatching(
      /^Kibana has \d+ views of Freshet: http.*\/app\/dashboards#\/view\/freshet-overview/,
    ),
  ])
  await kibana[Symbol.asyncDispose]()
  expect(await told({ url, waitSeconds: 0.1 })).toEqual([
    expect.stringMatching(/^waits up to 0.1 s: Kibana at http/),
    expect.stringMatching(
      /^nothing is imported into Kibana. KIBANA_UNREACHABLE: .* run `freshet kibana import`/,
    ),
  ])
})

test('a Kibana that refuses is something to be mended', async () => {
  await using kibana = await StandInKibana.open({ authorization: 'Basic abc' })
  await expect(told({ url: kibana.url, waitSeconds: 0 })).rejects.toMatchObject({
    code: 'KIBANA_UNAUTHORIZED',
  })
})
