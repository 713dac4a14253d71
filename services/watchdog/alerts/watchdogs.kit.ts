/**
 * Several watchdogs on one pipeline, in simulated time: their `.control` is a list, their group gives the partition to one
 * of them, and each step of a watchdog may be its last, or be followed by a long sleep. Real: view, speaker, keeper, book and
 * the telling of people. Modelled: Kafka, Slack, time.
 */
import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import { ALERT_STATE_KEY, type AlertMessage, alertStateRecord } from '@freshet/records/alert-state.ts'
import { SPEAKER_KEY, speakerClaimRecord } from '@freshet/records/control.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import type { Judgement } from '../rules/judge.ts'
import { AlertBook } from './alert-book.ts'
import { AlertKeeper } from './alert-keeper.ts'
import { type ControlMessage, ControlView } from './control-view.ts'
import { Speaker } from './speaker.ts'
import { LOOK_MS, START_MS, timing } from './story.kit.ts'
import { tellNext } from './tell-loop.ts'

/** What befalls the watchdog that speaks, at one of its steps. */
export interface Mishap {
  /** Counted over all steps of all watchdogs. */
  readonly atStep: number
  /** `sleep`: it wakes up when another one has taken over. */
  readonly how: 'kill' | 'sleep'
}

export interface Delivery {
  readonly message: AlertMessage
  readonly by: string
  /** Whether it was its turn by then. */
  readonly wasItsTurn: boolean
}

export class Watchdogs {
  readonly delivered: Delivery[] = []
  nowMs = START_MS
  /** While false nobody can write, read, or hold the partition. */
  isKafkaUp = true
  /** Nobody reaches Slack. */
  isSlackUp = true
  readonly #control: ControlMessage[] = []
  readonly #mishaps: Mishap[]
  readonly #asleep: (() => void)[] = []
  #all: SimulatedWatchdog[] = []
  #holder: SimulatedWatchdog | null = null
  #steps = 0
  #born = 0

  constructor(mishaps: readonly Mishap[] = [], count = 2) {
    this.#mishaps = [...mishaps].sort((a, b) => a.atStep - b.atStep)
    while (this.#all.length < count) this.#bear()
  }

  get steps(): number {
    return this.#steps
  }

  get speaker(): SimulatedWatchdog | null {
    return this.#holder
  }

  /** Everyone looks once; whoever speaks tells all that there is to be told. */
  async look(judgement: Judgement): Promise<void> {
    this.nowMs += LOOK_MS
    if (this.isKafkaUp && this.#holder === null) this.#elect()
    for (const watchdog of [...this.#all]) {
      const isAlive = await Promise.race([watchdog.look(judgement).then(() => true), watchdog.gone])
      if (!isAlive) this.#replace(watchdog)
    }
    // Who slept wakes up only after another one has taken over.
    if (this.#holder !== null) for (const wake of this.#asleep.splice(0)) wake()
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Kafka is away for everyone, or back. */
  setKafka(isUp: boolean): void {
    this.isKafkaUp = isUp
    if (!isUp) this.#holder = null
  }

  /** The speaker sleeps while the others look, and wakes up as the speaker: it has not listened to anybody meanwhile. */
  async sleepThrough(looks: number, judgement: Judgement): Promise<void> {
    const sleeper = this.#holder!
    this.#all = this.#all.filter((one) => one !== sleeper)
    this.#holder = null
    for (let look = 0; look < looks; look++) await this.look(judgement)
    sleeper.hear(this.#control)
    this.#all.unshift(sleeper)
    this.#elect()
  }

  /** The group gives the partition to the next one, while the one that had it lives on. */
  handOver(): void {
    this.#all.push(this.#all.shift()!)
    this.#elect()
  }

  append(key: string, text: string): void {
    if (!this.isKafkaUp) throw new FreshetError('KAFKA_PRODUCE_DEADLINE', 'Kafka is away')
    const message = { offset: this.#control.length, key: Buffer.from(key), value: Buffer.from(text) }
    this.#control.push(message)
    for (const watchdog of this.#all) watchdog.hear([message])
  }

  holds(watchdog: SimulatedWatchdog): boolean {
    return this.isKafkaUp && this.#holder === watchdog
  }

  lastState() {
    const last = this.#control.findLast(({ key }) => key?.toString() === ALERT_STATE_KEY)
    return alertStateRecord.decode(last!.value!)
  }

  /** A step of the speaker: here it may die, or fall asleep and have its partition taken away. */
  async step(watchdog: SimulatedWatchdog): Promise<void> {
    if (this.#holder !== watchdog) return
    const mishap = this.#mishaps[0]
    if (mishap === undefined || this.#steps++ < mishap.atStep) return
    this.#mishaps.shift()
    watchdog.leave()
    if (mishap.how === 'kill') return new Promise(() => {})
    await new Promise<void>((wake) => this.#asleep.push(wake))
  }

  #bear(): void {
    const watchdog = new SimulatedWatchdog(this, `watchdog-${++this.#born}`)
    watchdog.hear(this.#control)
    this.#all.push(watchdog)
  }

  #elect(): void {
    this.#holder = this.#all[0]!
    this.#holder.elected()
  }

  #replace(watchdog: SimulatedWatchdog): void {
    this.#all = this.#all.filter((one) => one !== watchdog)
    if (this.#holder === watchdog) this.#holder = null
    this.#bear()
  }
}

class SimulatedWatchdog {
  readonly instance: string
  readonly #gone = Promise.withResolvers<false>()
  readonly #world: Watchdogs
  readonly #view = new ControlView(quietLog)
  readonly #speaker: Speaker
  readonly #book = new AlertBook(() => {})
  readonly keeper: AlertKeeper
  #saved = ''

  constructor(world: Watchdogs, instance: string) {
    this.#world = world
    this.instance = instance
    this.#speaker = new Speaker(instance, this.#view)
    this.keeper = new AlertKeeper({
      instance,
      book: this.#book,
      speaker: this.#speaker,
      remembered: () => this.#view.state(),
      timing,
    })
  }

  /** Resolves when it is dead, or asleep for long. */
  get gone(): Promise<false> {
    return this.#gone.promise
  }

  leave(): void {
    this.#gone.resolve(false)
  }

  hear(control: readonly ControlMessage[]): void {
    for (const message of control) this.#view.hear(message)
  }

  elected(): void {
    const claim = this.#speaker.assigned()
    const { instance } = this
    this.#world.append(
      SPEAKER_KEY,
      speakerClaimRecord.encode({ version: 1, instance, claim, atMs: this.#world.nowMs }),
    )
    this.#speaker.heard({
      check: () => {
        if (!this.#world.holds(this)) throw new FreshetError('KAFKA_STALE', 'another one has the partition')
      },
    })
  }

  async look(judgement: Judgement): Promise<void> {
    const moment = { nowMs: this.#world.nowMs, repeatMs: 3_600_000, silencedBy: () => null }
    this.keeper.takeOver()
    this.keeper.judge(judgement, moment)
    await this.#step()
    await this.#save()
    const signal = new AbortController().signal
    while (await tellNext({ ...this.#telling, book: this.#book }, signal));
  }

  readonly #telling = {
    mayTell: (message: AlertMessage) => this.keeper.mayTell(message),
    route: {
      deliver: async (message: AlertMessage, _: AbortSignal, turn: () => boolean = () => true) => {
        await this.#step()
        if (!turn() || !this.#world.isSlackUp) return 'untold' as const
        const wasItsTurn = this.#world.holds(this) || !this.#world.isKafkaUp
        this.#world.delivered.push({ message, by: this.instance, wasItsTurn })
        await this.#step()
        return 'told' as const
      },
    },
    remember: () => this.#save(),
    clock: { nowMs: () => this.#world.nowMs, sleep: async () => {} },
  }

  async #save(): Promise<void> {
    const state = this.keeper.state()
    if (state === null) return
    const text = alertStateRecord.encode(state)
    if (text === this.#saved) return
    await this.#step()
    if (this.keeper.state() === null) return
    this.#world.append(ALERT_STATE_KEY, text)
    this.#saved = text
    await this.#step()
  }

  #step(): Promise<void> {
    return this.#world.step(this)
  }
}
