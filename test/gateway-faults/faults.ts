import type { Fault } from './fault.ts'
import { clientFaults } from './faults/clients.ts'
import { elasticsearchFaults } from './faults/elasticsearch.ts'
import { modelFaults } from './faults/model.ts'
import { redisFaults } from './faults/redis.ts'
import { s3Faults } from './faults/s3.ts'

export const FAULTS: readonly Fault[] = [
  ...redisFaults,
  ...s3Faults,
  ...elasticsearchFaults,
  ...modelFaults,
  ...clientFaults,
]
