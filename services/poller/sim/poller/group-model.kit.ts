import type { Chance } from '../chance.kit.ts'
import { CURSOR_PARTITIONS } from '../kafka/kafka-model.kit.ts'
import { PollerModel } from './poller-model.kit.ts'
import { type Flight, land, type Process, type Scope } from './process.kit.ts'

type Surroundings = Omit<Process, 'name' | 'scope' | 'skewMs'>

const POLLERS = ['A', 'B']
const MAX_SKEW_MS = 200
const look = (poller: PollerModel) => poller.look()
const sweep = (poller: PollerModel) => poller.sweep.goOn()
const readCursors = (poller: PollerModel) => poller.readCursors()
const makeRoom = (poller: PollerModel) => poller.yield()
/** What a poller does when it does not wait for an effect, as often as it stands here. */
const TURNS = [look, look, look, look, sweep, sweep, sweep, sweep, readCursors, readCursors, makeRoom]
/** No pause is longer, and nothing that was sent arrives later. */
const MAX_LATE_MS = 20_000
/** As `.cursors` is configured: far longer than anything may be late. */
const COMPACTION_LAG_MS = 2 * MAX_LATE_MS

/**
 * Two pollers that share the partitions of `.cursors` as a consumer group does: each partition is given to one of them,
 * and each finds out only some time later. So one may be paused with sends under way while the other has taken over.
 */
export class GroupModel {
  readonly #around: Surroundings
  readonly #chance: Chance
  readonly #owners = new Map<number, string>()
  #pollers: PollerModel[] = []
  /** Sends that nobody waits for any more, and that may still reach Kafka. */
  #adrift: { readonly land: () => void; readonly sentAtMs: number }[] = []
  #processes = 0
  /** What the configuration says now; a process has read it at its start. */
  scope: Scope = 'all'

  constructor(around: Surroundings) {
    this.#around = around
    this.#chance = around.chance
    for (const host of POLLERS) this.#pollers.push(this.#start(host))
    for (let partition = 0; partition < CURSOR_PARTITIONS; partition++)
      this.#owners.set(partition, this.#anyone().process.name)
    for (const poller of this.#pollers) this.#heed(poller)
  }

  get pollers(): readonly PollerModel[] {
    return this.#pollers
  }

  ownerOf(partition: number): string | undefined {
    return this.#owners.get(partition)
  }

  /** Something goes on: an effect ends, or a poller looks around. */
  work(): void {
    const chance = this.#chance
    for (const poller of this.#pollers)
      if (this.#around.nowMs() - (poller.pausedAtMs ?? Number.POSITIVE_INFINITY) > MAX_LATE_MS)
        poller.pausedAtMs = undefined
    const awake = this.#pollers.filter(({ isPaused }) => !isPaused)
    const flights = awake.flatMap((poller) => poller.flights)
    const flight = chance.pick(flights.filter(({ isSlow }) => !isSlow || chance.happens(0.05)))
    const poller = chance.pick(awake)
    if (flight !== undefined && chance.happens(0.65)) flight.task.complete(flight)
    else if (poller !== undefined) chance.pick(TURNS)!(poller)
  }

  /** An effect fails; it may have been done all the same, or what was sent may arrive later. */
  fail(): void {
    const poller = this.#anyone()
    if (poller.isPaused) return
    const flight = this.#chance.pick(poller.flights)
    if (flight === undefined || this.#chance.happens(0.2)) {
      poller.sweep.fail()
      return
    }
    const isDone = this.#chance.happens(0.4)
    flight.task.fail(flight, isDone)
    if (!isDone && this.#chance.happens(0.4)) this.#setAdrift(poller, flight)
  }

  /** What was adrift reaches Kafka after all. */
  landLate(): void {
    const [late] = this.#adrift.splice(this.#chance.below(this.#adrift.length), 1)
    if (late === undefined || this.#around.nowMs() - late.sentAtMs > MAX_LATE_MS) return
    this.#around.witness.hazards.count('a write to Kafka landed late')
    late.land()
  }

  /** kill -9: what is on disk is all that is known. What was sent may still arrive, or arrive later, or never. */
  crash(): void {
    const dead = this.#anyone()
    if (dead.flights.length > 0)
      this.#around.witness.hazards.count('a poller was killed with effects under way')
    for (const flight of dead.flights)
      if (this.#chance.happens(0.5)) land(dead.process, flight)
      else if (this.#chance.happens(0.3)) this.#setAdrift(dead, flight)
    this.#restart(dead)
  }

  pause(): void {
    this.#anyone().pausedAtMs ??= this.#around.nowMs()
  }

  wake(): void {
    this.#anyone().pausedAtMs = undefined
  }

  /** The group gives a partition to any poller that is not paused; who had it does not yet know. */
  rebalance(): void {
    const poller = this.#chance.pick(this.#pollers.filter(({ isPaused }) => !isPaused))
    if (poller !== undefined) this.#owners.set(this.#chance.below(CURSOR_PARTITIONS), poller.process.name)
  }

  /** A poller finds out which partitions are its own. */
  notice(): void {
    const poller = this.#anyone()
    if (!poller.isPaused) this.#heed(poller)
  }

  compact(): void {
    const partition = this.#chance.below(CURSOR_PARTITIONS)
    if (this.#around.kafka.cursors[partition]!.compact(this.#around.nowMs() - COMPACTION_LAG_MS) > 0)
      this.#around.witness.hazards.count('compaction took cursors away')
  }

  changeScope(): void {
    this.scope = this.scope === 'all' ? 'unmarked' : 'all'
    for (const poller of this.#pollers) if (this.#chance.happens(0.7)) this.#restart(poller)
  }

  /** All are awake, know what is theirs and have read the configuration, and nothing is adrift. */
  heal(): void {
    while (this.#adrift.length > 0) this.landLate()
    for (const poller of this.#pollers) {
      poller.pausedAtMs = undefined
      if (poller.process.scope !== this.scope) this.#restart(poller)
    }
    for (const poller of this.#pollers) this.#heed(poller)
  }

  #heed(poller: PollerModel): void {
    const { name } = poller.process
    for (const partition of poller.partitions) {
      if (this.#owners.get(partition) === name) continue
      for (const flight of poller.leave(partition))
        if (this.#chance.happens(0.5)) this.#setAdrift(poller, flight)
    }
    for (const [partition, owner] of this.#owners)
      if (owner === name && !poller.partitions.includes(partition)) poller.take(partition)
  }

  #setAdrift({ process }: PollerModel, flight: Flight): void {
    this.#adrift.push({ land: () => land(process, flight), sentAtMs: this.#around.nowMs() })
  }

  /** Another process on the same host; the partitions of the dead one are shared out anew. */
  #restart(dead: PollerModel): void {
    const born = this.#start(dead.process.name[0]!)
    this.#pollers = this.#pollers.map((poller) => (poller === dead ? born : poller))
    const survivors = this.#pollers.filter(({ isPaused }) => !isPaused)
    for (const [partition, owner] of this.#owners)
      if (owner === dead.process.name) this.#owners.set(partition, this.#chance.pick(survivors)!.process.name)
  }

  #start(host: string): PollerModel {
    const skewMs = this.#chance.below(MAX_SKEW_MS)
    return new PollerModel({
      ...this.#around,
      name: `${host}${++this.#processes}`,
      scope: this.scope,
      skewMs,
    })
  }

  #anyone(): PollerModel {
    return this.#chance.pick(this.#pollers)!
  }
}
