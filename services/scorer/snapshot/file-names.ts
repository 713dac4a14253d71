/** What a snapshot file is called, below `snapshots/`: `<partition>/<kind>-<first offset>-<last offset>-<attempt>.parquet`. */
export interface FileName {
  readonly partition: number
  readonly kind: 'base' | 'delta'
  /** Offsets of `.scores`, both inclusive. */
  readonly fromOffset: number
  readonly toOffset: number
}

/** @param attempt in hex; no two files have the same */
export function fileName({ partition, kind, fromOffset, toOffset }: FileName, attempt: string): string {
  return `${partition}/${kind}-${fromOffset}-${toOffset}-${attempt}.parquet`
}

/** undefined: the name of something else. */
export function parseFileName(object: string): FileName | undefined {
  const match = /^(\d+)\/(base|delta)-(\d+)-(\d+)-[0-9a-f]+\.parquet$/.exec(object)
  if (match === null) return undefined
  const [, partition, kind, fromOffset, toOffset] = match
  return {
    partition: Number(partition),
    kind: kind as FileName['kind'],
    fromOffset: Number(fromOffset),
    toOffset: Number(toOffset),
  }
}
