/**
 * An epoch that no other shard has or had: epochs of one cursor partition are one remainder modulo the number of
 * partitions, and whoever holds the partition gives each only once. Wall-clock milliseconds, so that a lost cursor
 * store costs reading again and never lets an older one win.
 * @param lastKnown the highest epoch that `.cursors` has shown of this partition
 */
export function nextEpoch(
  { partition, partitions }: { readonly partition: number; readonly partitions: number },
  { lastKnown, nowMs }: { readonly lastKnown: number; readonly nowMs: number },
): number {
  const least = Math.max(nowMs, lastKnown + 1)
  const remainder = (((partition - least) % partitions) + partitions) % partitions
  return least + remainder
}
