/** What befalls a poller, counted where it happens: a simulation that no longer meets one of these proves nothing. */
export const HAZARDS = [
  'a failover rolled back operations',
  'an older version became current again below the cursor',
  'the shard was rewound',
  'a new epoch began',
  'the checkpoint lagged behind',
  'a new primary knew an older checkpoint',
  'a look was torn by a new primary',
  'a search saw operations above the checkpoint',
  'a search was answered by a former primary',
  'a search found no shard to ask',
  'sequence numbers repeated',
  'an answer of Kafka was lost',
  'a write to Kafka landed late',
  'a poller produced after another had taken over',
  'a poller saved its cursor over that of the new owner',
  'a poller was killed with effects under way',
  'a shard was taken over from its saved cursor',
  'an owner was outranked',
  'a page was too large',
  'a sweep was final',
  'a sweep found a dead row',
  'a gone shard was forgotten',
  'compaction took cursors away',
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
}
