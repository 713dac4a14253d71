/** The partition that Kafka's own default partitioner picks, so that other clients agree. */
export function partitionOf(_key: Buffer, _partitions: number): number {
  throw new Error('to come')
}
