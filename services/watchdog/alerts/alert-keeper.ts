/** The alerts of one watchdog among several: which of them it judges, and which messages it may deliver. */
import type { Alert, AlertMessage, AlertState } from '@freshet/records/alert-state.ts'
import type { Judgement } from '../rules/judge.ts'
import type { AlertBook } from './alert-book.ts'
import type { Timing } from './alerts.ts'
import type { Role } from './speaker.ts'
import type { TellingMoment } from './telling.ts'

export interface KeeperOptions {
  readonly instance: string
  readonly book: AlertBook
  readonly speaker: { role(): Role; readonly elections: number }
  /** What the watchdogs remember, as far as it was heard. */
  readonly remembered: () => AlertState | undefined
  readonly timing: Timing
}

/**
 * The speaker judges all and tells all. While nobody can be elected, whoever waits judges and tells only what blinds it:
 * that Kafka is away; the rest stands still until it sees again. Whoever listens shows what the speaker has written, and
 * sees its own word on Kafka through to the end.
 */
export class AlertKeeper {
  readonly #options: KeeperOptions
  /** Of its last time as the speaker. */
  #term = 0
  #election = 0
  /** Whether its book is the whole one: it was its own turn last. */
  #isWhole = false

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  /** Whether it has been elected, and has not yet taken over. */
  isElected(): boolean {
    const { speaker } = this.#options
    return speaker.role() === 'speaks' && speaker.elections !== this.#election
  }

  /**
   * Takes over what its predecessor left, where there is news of that.
   * @param older what a watchdog of an older build remembered, where no other one remembers anything
   * @returns whether it has just begun to speak
   */
  takeOver(older?: AlertState): boolean {
    const { speaker, remembered, book } = this.#options
    if (!this.isElected()) return false
    this.#election = speaker.elections
    const state = remembered() ?? older
    if (state !== undefined && (!this.#isWhole || state.term > this.#term)) book.restore(state)
    this.#isWhole = true
    this.#term = Math.max(this.#term, state?.term ?? 0) + 1
    return true
  }

  /** @returns how many alerts were held back from people with this look */
  judge(judgement: Judgement, moment: TellingMoment): number {
    const { speaker, book, remembered, timing } = this.#options
    const role = speaker.role()
    if (role === 'speaks' && !this.isElected()) return book.judge(judgement, timing, moment)
    if (role === 'listens') {
      this.#isWhole = false
      book.keepOwn(remembered()?.alerts ?? [])
      const findings = judgement.findings.filter(({ id }) => book.has(id))
      return book.judge({ ...judgement, findings }, timing, moment)
    }
    const findings = judgement.findings.filter((finding) => finding.blinds)
    return book.judge({ ...judgement, findings, blind: true }, timing, moment)
  }

  /** Whether it may say this now. */
  mayTell(message: AlertMessage): boolean {
    const { speaker } = this.#options
    if (speaker.role() === 'speaks') return !this.isElected()
    return message.more === 0 && message.alerts.every(({ finding }) => finding.blinds)
  }

  /** To be written to `.control`; null while it is not its turn to write. */
  state(): AlertState | null {
    const { instance, speaker, book } = this.#options
    if (speaker.role() !== 'speaks' || this.isElected()) return null
    return { version: 2, term: this.#term, writer: instance, ...book.state() }
  }

  /** What there is to be shown: of a listener what the speaker wrote, and what it says itself. */
  alerts(): readonly Alert[] {
    const { book, speaker, remembered } = this.#options
    const own = book.alerts()
    if (speaker.role() !== 'listens') return own
    const ids = new Set(own.map(({ finding }) => finding.id))
    return [...own, ...(remembered()?.alerts ?? []).filter(({ finding }) => !ids.has(finding.id))]
  }
}
