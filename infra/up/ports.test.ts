import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { PortPicker } from './ports.ts'

test.each(['127.0.0.1', '0.0.0.0'])(
  'a port that another program listens on (%s) is passed over',
  async (host) => {
    const server = createServer().listen({ host, port: 0 })
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const picked = await new PortPicker().pick([port])
    expect(picked).not.toBe(port)
    expect(picked).toBeGreaterThan(0)
    server.close()
  },
)

test('two servers that wish for the same port get two', async () => {
  const picker = new PortPicker()
  const wish = await new PortPicker().pick([])
  const [first, second] = await Promise.all([picker.pick([wish]), picker.pick([wish])])
  expect(first).toBe(wish)
  expect(second).not.toBe(wish)
})
