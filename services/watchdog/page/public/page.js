// Listens to the watchdog and draws what it says. Whatever is shown was worked out there.
import { morphChildren } from './dom.js'
import { draw } from './draw.js'
import { duration } from './words.js'

const ASK_AGAIN_MS = 5_000
/** So many looks may be missed, and at least so long nothing heard, before the picture is called old. */
const STALE_LOOKS = 4
const STALE_LEAST_MS = 30_000
/** A watchdog that was only started anew is back by then. */
const LOST_MS = 6_000

const byId = (id) => document.getElementById(id)
let state = null
let heardAtMs = performance.now()
let source = null
/** Since when the stream is broken; null while it is not. */
let lostAtMs = null

connect()
setInterval(tick, 1_000)
// A tab that slept, or a machine that was folded up, looks at once.
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && isStale()) connect()
})

function connect() {
  source?.close()
  source = new EventSource('events')
  let ageSeconds = 0
  source.addEventListener('age', ({ data }) => (ageSeconds = Number(data)))
  source.addEventListener('state', ({ data }) => show(JSON.parse(data), ageSeconds))
  source.addEventListener('error', () => {
    lostAtMs ??= performance.now()
    // A browser asks again by itself, unless the answer was a refusal: then we do, and look at the facts without a stream.
    if (source.readyState !== EventSource.CLOSED) return
    setTimeout(askOnce, ASK_AGAIN_MS)
  })
}

async function askOnce() {
  const reply = await fetch('api/status', { signal: AbortSignal.timeout(ASK_AGAIN_MS) }).catch(() => null)
  const next = reply?.ok ? await reply.json().catch(() => null) : null
  if (next !== null) show(next, Number(reply.headers.get('age')))
  connect()
}

/** @param {number} ageSeconds of the picture, by the watchdog's own clock */
function show(next, ageSeconds) {
  state = next
  lostAtMs = null
  heardAtMs = performance.now() - ageSeconds * 1_000
  const main = byId('main')
  main.removeAttribute('aria-busy')
  morphChildren(main, draw(next))
  byId('pipeline').textContent = next.pipeline
  byId('who').textContent = whoLooks(next.watchdog)
  document.title = titleOf(next)
  tick()
}

function whoLooks({ instance, speaks, watchdogs }) {
  const others = watchdogs > 1 ? `, one of ${watchdogs}` : ''
  const role = speaks === false ? '; another one tells people' : ''
  return `Seen by ${instance}${others}${role}.`
}

function titleOf({ pipeline, alerts, verdict }) {
  const firing = alerts.filter(({ phase }) => phase === 'firing').length
  const sign = { well: '', unknown: '? ' }[verdict.level] ?? `(${firing}) `
  return `${sign}${pipeline} · Freshet`
}

/** Nothing that is seen here may be taken for what is so now. */
function isStale() {
  if (lostAtMs !== null && performance.now() - lostAtMs > LOST_MS) return true
  const patienceMs = Math.max(STALE_LEAST_MS, (state?.intervalSeconds ?? 0) * STALE_LOOKS * 1_000)
  return performance.now() - heardAtMs > patienceMs
}

/** What changes by itself: how old the picture is. */
function tick() {
  const ageSeconds = (performance.now() - heardAtMs) / 1_000
  const stale = isStale()
  const live = stale ? 'lost' : state === null ? 'waiting' : 'live'
  byId('live').dataset.live = live
  byId('heard').textContent = {
    lost: 'no word',
    waiting: 'connecting',
    live: `seen ${duration(Math.round(ageSeconds))} ago`,
  }[live]
  document.body.classList.toggle('old', stale)
  byId('stale').hidden = !stale
  if (stale) byId('silence').textContent = silenceText(ageSeconds)
}

function silenceText(ageSeconds) {
  const age = duration(ageSeconds < 60 ? Math.floor(ageSeconds / 5) * 5 : ageSeconds)
  return `The watchdog has said nothing for ${age}.`
}
