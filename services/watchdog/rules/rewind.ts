import { formatCount } from '../format.ts'
import { WINDOW_MS } from './fact-window.ts'
import { hasGoneBack, type Place, placesOf, positionsOf } from './places.ts'
import type { Rule, Scene, Symptom } from './rule.ts'

/**
 * What goes forward only has gone back: an offset that is committed, the end of a topic, a cursor under the same primary,
 * the snapshot. Found until it is where it was again, or for as long as somebody remembers that.
 */
export const rewind: Rule = {
  name: 'rewind',
  find(scene) {
    const highest = highestOf(scene.earlier)
    const marks = placesOf(scene.now).flatMap((place) => {
      const before = highest.get(place.id)
      return before !== undefined && before - place.at > scene.threshold ? [{ ...place, before }] : []
    })
    // Where the topic itself was cut, its groups went back with it.
    const cut = new Set(marks.filter(({ kind }) => kind === 'topic').map(({ topic }) => topic))
    const told = marks.filter(({ kind, topic }) => kind !== 'group' || !cut.has(topic))
    const kinds = new Map(told.map((mark) => [mark.name, told.filter(({ name }) => name === mark.name)]))
    return [...kinds].map(([name, group]) => symptomOf(name, group))
  },
  // What a watchdog that died remembered, the next one does not: it may not call over what it has not seen begin.
  notKnown({ now, earlier }) {
    const { answersSinceMs } = now.kafka
    if (answersSinceMs !== null && now.atMs - answersSinceMs >= WINDOW_MS) return []
    const places = placesOf(now)
    const seen = new Set(places.filter((place) => hasGoneBack(place, earlier)).map(({ name }) => name))
    return [...new Set(places.map(({ name }) => name))].filter((name) => !seen.has(name)).map(idOf)
  },
}

function idOf(name: string): string {
  return `rewind/${name}`
}

interface Mark extends Place {
  readonly before: number
}

/** By place. */
function highestOf(earlier: Scene['earlier']): ReadonlyMap<string, number> {
  const highest = new Map<string, number>()
  for (const facts of earlier)
    for (const [id, at] of positionsOf(facts)) if ((highest.get(id) ?? -1) < at) highest.set(id, at)
  return highest
}

function symptomOf(name: string, marks: readonly Mark[]): Symptom {
  const [worst] = marks.toSorted((a, b) => b.before - b.at - (a.before - a.at))
  const back = worst!.before - worst!.at
  const kind = worst!.kind
  return {
    id: idOf(name),
    title: `${TITLES[kind](name)} went back by ${formatCount(back)}`,
    details: {
      Where: marks.map(({ where }) => where).join(', '),
      Now: formatCount(worst!.at),
      Before: formatCount(worst!.before),
    },
    advice: ADVICE[kind],
    measure: { value: back },
  }
}

const TITLES: Readonly<Record<Place['kind'], (name: string) => string>> = {
  group: (groupId) => `the committed offset of ${groupId}`,
  topic: (topic) => `the end of ${topic}`,
  cursor: () => 'a cursor of the capture',
  snapshot: () => 'the snapshot',
}

const ADVICE: Readonly<Record<Place['kind'], { effect: string; firstLook: string }>> = {
  group: {
    effect: 'what was read is read again: callers notice nothing, for the highest revision wins',
    firstLook: 'who set the offsets back; then whether the group catches up',
  },
  topic: {
    effect: 'records are lost: documents may be without a score until they change again',
    firstLook: 'whether the topic was made anew, or a broker lost its disk; then `freshet verify --repair`',
  },
  cursor: {
    effect: 'what was captured is captured again: callers notice nothing, for the highest revision wins',
    firstLook: 'whether two pollers run that do not know of each other, or somebody wrote to .cursors',
  },
  snapshot: {
    effect: 'what callers get while Redis is away is older than it was',
    firstLook: 'whether somebody put back the bucket; then `freshet snapshot check`',
  },
}
