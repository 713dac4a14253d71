/** What befalls a poller, counted where it happens: a simulation that no longer meets one of these proves nothing. */
export const HAZARDS = [
  'a failover rolled back operations',
  'an older version became current again below the cursor',
  'the shard was rewound',
  'a new epoch began',
  'the checkpoint lagged behind',
  'a hole kept the checkpoint back',
  'a new primary knew an older checkpoint',
  'a look was torn by a new primary',
  'a search saw operations above the checkpoint',
  'a search was answered by a former primary',
  'a search found no shard to ask',
  'sequence numbers repeated',
  'a page was too large',
  'an answer of Kafka was lost',
  'a write to Kafka landed late',
  'a poller produced after another had taken over',
  'a poller saved its cursor over that of the new owner',
  'a poller buried after another had taken over',
  'a poller was killed with effects under way',
  'a shard was taken over from its saved cursor',
  'an owner was outranked',
  'compaction took cursors away',
  'a sweep was final',
  'a sweep found a dead row',
  'a sweep went on with a snapshot that lagged',
  'a delete was rolled back during a sweep',
  'a dead row could not be deleted yet',
  'a gone shard was forgotten',
  'a write landed in a dead epoch',
] as const

export type Hazard = (typeof HAZARDS)[number]

export class Hazards {
  readonly #counts = new Map<Hazard, number>()

  count(hazard: Hazard): void {
    this.#counts.set(hazard, this.of(hazard) + 1)
  }

  of(hazard: Hazard): number {
    return this.#counts.get(hazard) ?? 0
  }

  /** What arrives when nobody waits for it any more is deleted only by a sweep that is due by its age. */
  get hadLateWrites(): boolean {
    return (
      this.of('a write to Kafka landed late') + this.of('a poller produced after another had taken over') > 0
    )
  }
}
