// The path of a change, from Elasticsearch to who asks, with live figures at each stage.
import { h } from './dom.js'
import { mark, minutesOf } from './parts.js'
import { sparkline } from './sparkline.js'
import { count, duration, rate, STAGES } from './words.js'

export function flow({ stages, history }) {
  const minutes = minutesOf(history)
  const stage = Object.fromEntries(stages.map((each) => [each.name, each]))
  const speedOf = (name) => stage[name].perSecond ?? 0
  return h('section', { class: 'flow', 'aria-label': 'Flow' }, [
    stageCard(stage.capture, minutes),
    pipe('one', '.changes', speedOf('capture')),
    stageCard(stage.infer, minutes),
    pipe('split', '.scores', speedOf('infer')),
    stageCard(stage.cache, minutes),
    stageCard(stage.snapshot, minutes),
    pipe('join', '', speedOf('gateway')),
    stageCard(stage.gateway, minutes),
  ])
}

function stageCard({ name, level, instances, perSecond, behindSeconds, waiting, notes }, minutes) {
  const { title, does, unit } = STAGES[name]
  const isGateway = name === 'gateway'
  return h(
    'article',
    { class: 'stage', 'data-stage': name, 'data-level': level, 'aria-labelledby': `stage-${name}` },
    [
      h('header', {}, [
        h('h3', { id: `stage-${name}` }, [mark(level, level), title]),
        h('p', {}, does),
        h('p', { class: 'many', title: 'Instances' }, manyText(instances)),
      ]),
      h('p', { class: 'rate' }, [
        h('b', {}, perSecond === null ? '–' : rate(perSecond)),
        h('span', {}, ` ${unit}/s`),
      ]),
      sparkline(behindSeconds.history, { name: `${title}: seconds behind`, minutes, least: 1 }),
      h('p', { class: 'behind' }, behindText({ behindSeconds, waiting, isGateway })),
      notes.map((note) => h('p', { class: 'note' }, note)),
    ],
  )
}

function manyText(instances) {
  if (instances === null) return 'not looked yet'
  return instances === 0 ? 'none runs' : `×${instances}`
}

function behindText({ behindSeconds: { now }, waiting, isGateway }) {
  if (isGateway) return now === null ? 'age of scores not known' : `scores are ${duration(now)} behind`
  const held = waiting > 0 ? `${count(waiting)} waiting` : ''
  if (now === null) return held || 'not known'
  if (now === 0 && held === '') return 'nothing waits'
  return [`${duration(now)} behind`, held].filter(Boolean).join(' · ')
}

/** From left to right, and on a phone from top to bottom. */
const PATHS = {
  across: {
    one: 'M0 50H100',
    split: 'M0 50H42C78 50 56 25 100 25M0 50H42C78 50 56 75 100 75',
    join: 'M0 25C60 25 35 50 100 50M0 75C60 75 35 50 100 50',
  },
  down: {
    one: 'M50 0V100',
    split: 'M50 0C50 60 25 30 25 100M50 0C50 60 75 30 75 100',
    join: 'M25 0C25 70 50 40 50 100M75 0C75 70 50 40 50 100',
  },
}

/** @param {'one' | 'split' | 'join'} shape */
function pipe(shape, topic, perSecond) {
  return h('div', { class: 'pipe', 'data-shape': shape, 'data-flow': speedClass(perSecond) }, [
    topic !== '' && h('p', {}, h('code', {}, topic)),
    Object.entries(PATHS).map(([way, paths]) =>
      h('svg', { class: way, viewBox: '0 0 100 100', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, [
        h('path', { class: 'bed', d: paths[shape] }),
        h('path', { class: 'drops', d: paths[shape] }),
      ]),
    ),
  ])
}

/** Drops run faster with every tenfold. */
function speedClass(perSecond) {
  return perSecond < 0.05 ? 0 : Math.max(1, Math.min(4, 1 + Math.round(Math.log10(Math.max(perSecond, 1)))))
}
