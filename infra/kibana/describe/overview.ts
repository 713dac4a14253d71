import { answers, degradedAnswers } from '../panels/answers.ts'
import { errors } from '../panels/errors.ts'
import { freshness } from '../panels/freshness.ts'
import { lag } from '../panels/lag.ts'
import { latency } from '../panels/latency.ts'
import { modelVersions } from '../panels/model-versions.ts'
import { slowestTraces } from '../panels/slowest-traces.ts'
import { throughput } from '../panels/throughput.ts'
import { type Dashboard, placeRows } from './dashboard.ts'

/** From left to right along the way of a document, from above from what callers notice to where to look. */
export const OVERVIEW: Dashboard = {
  title: 'Freshet: pipeline',
  description: 'How fast documents flow, how fresh scores are, what callers get, and what is wrong.',
  placed: placeRows([
    { height: 12, panels: [throughput, freshness] },
    { height: 12, panels: [lag, answers] },
    { height: 12, panels: [degradedAnswers, errors, modelVersions] },
    { height: 14, panels: [latency, slowestTraces] },
  ]),
}
