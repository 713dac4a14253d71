import { expect, test } from 'vitest'
import { encodeMetadataRequest, hasController } from './kafka-metadata.ts'

test('the question for metadata keeps its bytes', () => {
  expect(encodeMetadataRequest().toString('hex')).toBe(
    '00000018' +
      '0003' +
      '0001' +
      '00000001' +
      '000a' +
      Buffer.from('freshet-up').toString('hex') +
      '00000000',
  )
})

const broker = `000000010009${Buffer.from('127.0.0.1').toString('hex')}00002384`
const noRack = 'ffff'
const rack = '0002' + '7231'

test.each([
  ['one broker that leads', `00000001${broker}${noRack}00000001`, true],
  ['two brokers, one of them in a rack', `00000002${broker}${rack}${broker}${noRack}00000001`, true],
  ['a broker without a controller', `00000001${broker}${noRack}ffffffff`, false],
  ['no broker yet', '00000000ffffffff', false],
])('Kafka is ready when it names a broker and a controller: %s', (_case, hex, ready) => {
  expect(hasController(Buffer.from(`00000001${hex}00000000`, 'hex'))).toBe(ready)
})
