import { Chance } from './chance.kit.ts'
import { elasticsearchActs, openAll } from './elasticsearch/acts.kit.ts'
import { ClusterModel } from './elasticsearch/cluster-model.kit.ts'
import type { Hazards } from './hazards.kit.ts'
import { KafkaModel } from './kafka/kafka-model.kit.ts'
import { StoreModel } from './kafka/store-model.kit.ts'
import { undead, wrongLiving } from './oracle.kit.ts'
import { GroupModel } from './poller/group-model.kit.ts'
import type { Rules } from './poller/rules.kit.ts'
import { SWEEP_LIMITS } from './poller/sweep-model.kit.ts'
import { Witness } from './witness.kit.ts'

const STEP_MS = 100
const ROUND_MS = 100_000
/** Longer than any pause of a poller. */
const QUIET_ROUNDS = 5
const MAX_ROUNDS = 60

/** What a fault is followed by, sooner or later. */
const RECOVERIES: ReadonlySet<string> = new Set(['goOn', 'join', 'open', 'wake', 'replicate', 'notice'])

/** Something that happens in the world, and how often; 0 turns it off for the whole run. */
interface Act {
  readonly name: string
  readonly rate: number
  readonly act: () => void
}

/**
 * Elasticsearch, Kafka, two pollers and a store, driven by one seed. The seed also draws which faults exist at all in
 * this run: a world where everything happens at once never gets far.
 */
export class World {
  readonly #chance: Chance
  readonly #cluster: ClusterModel
  readonly #kafka = new KafkaModel()
  readonly #store = new StoreModel(this.#kafka.changes)
  readonly #group: GroupModel
  readonly #witness: Witness
  readonly #acts: readonly Act[]
  #nowMs = 1_000

  constructor(seed: number, rules: Rules, isTraced = false) {
    const chance = new Chance(seed)
    this.#chance = chance
    this.#cluster = new ClusterModel(chance)
    const ownerOf = (partition: number) => this.#group?.ownerOf(partition)
    this.#witness = new Witness(this.#cluster, { isTraced, ownerOf })
    const around = {
      chance,
      cluster: this.#cluster,
      kafka: this.#kafka,
      store: this.#store,
      rules,
      witness: this.#witness,
      nowMs: () => this.#nowMs,
    }
    this.#group = new GroupModel(around)
    this.#cluster.create('a', 1 + chance.below(2))
    if (chance.happens(0.3)) this.#cluster.create('b', 1)
    this.#acts = this.#drawActs()
  }

  get hazards(): Hazards {
    return this.#witness.hazards
  }

  get trace(): readonly string[] {
    return this.#witness.trace
  }

  /** How often each thing happens in this run. */
  get rates(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#acts.map(({ name, rate }) => [name, Math.round(rate * 100) / 100]))
  }

  /** @returns what is wrong: a promise broken on the way, or something missing after everything has healed. */
  run(steps: number): readonly string[] {
    const total = this.#acts.reduce((sum, { rate }) => sum + rate, 0)
    for (let step = 0; step < steps && this.#witness.promises.broken === undefined; step++) {
      this.#nowMs += STEP_MS
      let at = this.#chance.upTo(total)
      this.#acts.find(({ rate }) => (at -= rate) < 0)?.act()
    }
    return this.#witness.promises.broken === undefined ? this.#end() : [this.#witness.promises.broken]
  }

  /** Faults end, everything is replicated, and the pollers get the time they need. */
  #end(): readonly string[] {
    this.#witness.tell(() => '-- everything heals')
    openAll(this.#cluster, this.#witness)
    for (const { shard } of this.#cluster.places) shard.settle()
    this.#group.heal()
    this.#settle()
    const soon = this.hazards.hadLateWrites ? this.#wrongLiving() : this.#wrong()
    if (soon.length > 0) return soon
    this.#witness.tell(() => '-- a sweep is due by its age')
    this.#nowMs += SWEEP_LIMITS.maxAgeMs
    this.#settle()
    return this.#wrong()
  }

  /** Until nothing has been written for so many rounds that every pause is over. */
  #settle(): void {
    for (let quiet = 0, left = MAX_ROUNDS; quiet < QUIET_ROUNDS && left > 0; left--) {
      const before = this.#kafka.written
      for (const poller of this.#group.pollers) poller.catchUp()
      this.#store.consume(Number.POSITIVE_INFINITY)
      this.#store.commitSnapshot()
      quiet = this.#kafka.written === before ? quiet + 1 : 0
      this.#nowMs += ROUND_MS
    }
  }

  #wrong(): readonly string[] {
    return [...this.#wrongLiving(), ...undead(this.#everything, this.#witness.lateRows)]
  }

  #wrongLiving(): readonly string[] {
    return this.#witness.promises.broken === undefined
      ? wrongLiving(this.#everything)
      : [this.#witness.promises.broken]
  }

  get #everything() {
    return { cluster: this.#cluster, group: this.#group, rows: this.#store.rows }
  }

  #drawActs(): Act[] {
    const chance = this.#chance
    const group = this.#group
    const acts: Readonly<Record<string, Omit<Act, 'name'>>> = {
      ...elasticsearchActs(this.#cluster, chance, this.#witness),
      fail: { rate: 6, act: () => group.fail() },
      landLate: { rate: 2, act: () => group.landLate() },
      crash: { rate: 1, act: () => group.crash() },
      pause: { rate: 0.8, act: () => group.pause() },
      wake: { rate: 2, act: () => group.wake() },
      rebalance: { rate: 1, act: () => group.rebalance() },
      notice: { rate: 2, act: () => group.notice() },
      compact: { rate: 1, act: () => group.compact() },
      consume: { rate: 6, act: () => this.#store.consume(1 + chance.below(12)) },
      commitSnapshot: { rate: 4, act: () => this.#store.commitSnapshot() },
      changeScope: { rate: 0.1, act: () => group.changeScope() },
    }
    const drawn = Object.entries(acts).map(([name, { rate, act }]) => {
      const isOff = chance.happens(0.3) && !RECOVERIES.has(name)
      return { name, act, rate: isOff ? 0 : rate * 4 ** (chance.upTo(2) - 1) }
    })
    return [...drawn, { name: 'work', rate: 40 + chance.upTo(80), act: () => group.work() }]
  }
}
