/** Whether what people were told is among what the faults explain. Pure. */
import type { Told } from '../alerts/told.ts'
import type { Fault } from './schedule.ts'
import { isServer, SERVERS, type Target } from './targets.ts'

/** A fault as it was done. */
export interface Done extends Pick<Fault, 'target' | 'kind'> {
  readonly atMs: number
  /** It works again. */
  readonly overAtMs: number
}

/** What was behind is worked off, and what a watchdog looks back at is over. */
const LINGERS_MS = 90_000

const NAMES: Readonly<Record<string, Target>> = {
  Kafka: 'kafka',
  Elasticsearch: 'elasticsearch',
  Redis: 'redis',
  S3: 's3',
}
const WATCHDOGS: readonly Target[] = ['watchdog', 'watchdog-2']
const SCORERS: readonly Target[] = ['scorer', 'scorer-2']

/** What may be told, by how it reads, and whom a fault must have struck for that. What is not here must never be told. */
const EXPLAINED: readonly { readonly title: RegExp; by(match: RegExpExecArray): readonly Target[] }[] = [
  {
    title: /^(Kafka|Elasticsearch|Redis|S3) does not answer( the watchdog)?$/,
    by: ([, name]) => [NAMES[name!]!, ...WATCHDOGS],
  },
  {
    title: /^(.+) cannot reach (Kafka|Elasticsearch|Redis|S3), the watchdog can$/,
    by: ([, who, name]) => [NAMES[name!]!, ...processesOf(who!)],
  },
  {
    title: /^the watchdog cannot use what (.+) says$/,
    by: ([, name]) => [...(NAMES[name!] ? [NAMES[name!]!] : []), ...WATCHDOGS],
  },
  { title: /^(\S+) has been silent for /, by: ([, who]) => [...processesOf(who!), ...WATCHDOGS, 'kafka'] },
  { title: /^(\S+) is failing/, by: ([, who]) => [...processesOf(who!), ...SERVERS] },
  { title: /^no heartbeat is heard/, by: () => [...WATCHDOGS, 'kafka'] },
  { title: /^the watchdog cannot read the cursors?/, by: () => [...WATCHDOGS, 'kafka'] },
  { title: /^the capture of /, by: () => ['poller', 'kafka', 'elasticsearch'] },
  { title: / of the source cannot be read$/, by: () => ['poller', 'elasticsearch', ...WATCHDOGS] },
  {
    title: /^\S+ (is .* behind|has stood still for)/,
    by: () => [...SCORERS, 'poller', ...SERVERS],
  },
  { title: /^the snapshot is/, by: () => [...SCORERS, 'kafka', 's3', 'redis'] },
  { title: / of the answers are degraded$/, by: () => ['gateway', 'redis', 's3'] },
  { title: / of the answers come after their deadline$/, by: () => ['gateway'] },
  { title: / of the requests are refused/, by: () => ['gateway', 'redis', 's3'] },
  {
    title: / given up on in the last minute$/,
    by: () => ['elasticsearch', 'gateway', 'poller', ...SCORERS, ...WATCHDOGS],
  },
]

/** Nobody has to be struck for it where the machine stands still: who does not get the CPU is late, or asks nobody else. */
const STARVED = / of the answers (are degraded|come after their deadline)$/

/** The rules on shares look at a minute, and tell after 20 s of it. */
const LOOKS_BACK_MS = 90_000
/** What the rule on late answers allows. */
const STARVED_SHARE = 0.01

/** Whether of what was asked before `atMs` the machine kept so many from an answer in time that rules on shares find it. */
export function starvedBefore(
  atMs: number,
  { lateAtMs, requestsPerSecond }: { lateAtMs: readonly number[]; requestsPerSecond: number },
): boolean {
  const late = lateAtMs.filter((oneMs) => oneMs <= atMs && oneMs > atMs - LOOKS_BACK_MS)
  return late.length > STARVED_SHARE * requestsPerSecond * (LOOKS_BACK_MS / 1_000)
}

/** Told to be there, and nobody was struck who could be why. */
export function unexplained(
  told: readonly Told[],
  done: readonly Done[],
  isStarved: (toldAtMs: number) => boolean = () => false,
): readonly Told[] {
  return told
    .filter(({ change }) => change !== 'RESOLVED')
    .filter(({ title, atMs }) => !(STARVED.test(title) && isStarved(atMs)))
    .filter(
      ({ title, atMs }) =>
        !isExplained(
          title,
          done.filter((fault) => isAbout(fault, atMs)),
        ),
    )
}

function isExplained(title: string, done: readonly Done[]): boolean {
  return EXPLAINED.some((rule) => {
    const match = rule.title.exec(title)
    return match !== null && done.some(({ target }) => rule.by(match).includes(target))
  })
}

function isAbout({ atMs, overAtMs }: Done, toldAtMs: number): boolean {
  return toldAtMs >= atMs && toldAtMs <= overAtMs + LINGERS_MS
}

/** Instances are named after their service first; which of two it is, its name does not tell. */
function processesOf(who: string): readonly Target[] {
  if (/^\d+ instances$/.test(who)) return ['poller', 'gateway', ...SCORERS, ...WATCHDOGS]
  const service = who.split('-')[0]!
  return (['poller', 'gateway', ...SCORERS, ...WATCHDOGS] as Target[]).filter(
    (target) => !isServer(target) && target.startsWith(service),
  )
}
