/**
 * What an idle poller is measured against: the same question about the shards at the same pace, over one kept-alive
 * connection, and JSON.parse. Nobody looks at the answer. Arguments: the URL to ask, and every how many milliseconds.
 */
import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

const [url, everyMs] = process.argv.slice(2) as [string, string]
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
process.once('disconnect', () => process.exit())
process.send!('ready')
for (;;) {
  const [answer] = (await once(get(url, { agent }), 'response')) as [IncomingMessage]
  JSON.parse(await text(answer))
  if (answer.statusCode !== 200) throw new Error(`answered with ${answer.statusCode}`)
  await sleep(Number(everyMs))
}
