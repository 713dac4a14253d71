import type { Finding } from '@freshet/records/alert-state.ts'

export interface Advice {
  /** What it means for callers. */
  readonly effect: string
  readonly firstLook: string
}

/** What a trouble means for callers, and what to do first. A finding that knows better says so itself. */
export function adviceOf({ kind, advice }: Pick<Finding, 'kind' | 'advice'>): Advice {
  return advice ?? ADVICE[kind] ?? ELSE
}

const ELSE: Advice = { effect: 'its runbook says it', firstLook: '`freshet status`, then the runbook' }

const ADVICE: Readonly<Record<string, Advice>> = {
  'kafka-unreachable': {
    effect:
      'nothing new is scored, and other alerts neither open nor end; the gateway answers with what it has',
    firstLook: 'whether the brokers run, then `freshet status`',
  },
  'dependency-unreachable': {
    effect: 'what needs this server stands still; the gateway answers from the stores that are left',
    firstLook: '`freshet doctor`, which asks every server',
  },
  silent: {
    effect: 'nobody does the work of this instance, unless others of its service run',
    firstLook: 'whether the process runs, then its log',
  },
  failing: {
    effect: 'this instance cannot go on',
    firstLook: 'its log; the error says what to do',
  },
  'capture-behind': {
    effect: 'what was written lately is not scored; callers get the scores from before',
    firstLook: '`freshet status`: which shard, and what the poller says',
  },
  lag: {
    effect: 'scores or snapshots are stale; the gateway still answers with what it has',
    firstLook: '`freshet status`, then the last error of the scorer',
  },
  stall: {
    effect:
      'what waits there is not scored, or its score does not arrive; callers get the scores from before',
    firstLook: '`freshet status`: who holds the partition or shard; its log',
  },
  rewind: {
    effect: 'none as long as it catches up: work is done again, and newer scores stay',
    firstLook: 'whether somebody has set offsets, restored a bucket or made an index anew',
  },
  'snapshot-stale': {
    effect: 'none while Redis answers; when it does not, callers get older scores',
    firstLook: '`freshet status`: what the snapshot worker says of S3',
  },
  fallbacks: {
    effect: 'callers get stored scores, or the default, where a fresh one was due',
    firstLook: 'the gateway’s counts by source: which store does not answer',
  },
  'deadline-misses': {
    effect: 'callers wait longer than they were promised, or have given up',
    firstLook: 'the slow requests in Kibana, then the load of the machine',
  },
  'requests-refused': {
    effect: 'callers are turned away and have no score from here',
    firstLook: 'how much is asked, and of whom; more workers or machines',
  },
  incomplete: {
    effect: 'callers get old scores, none, or scores of what no longer lives, for the documents counted here',
    firstLook: '`freshet verify` names them, `freshet verify --repair` emits them again',
  },
  'dead-letters': {
    effect: 'these documents have no score; callers get the default for them',
    firstLook: '`freshet replay --dead --dry-run`, each with its reason',
  },
  'model-refused': {
    effect: 'the model from before stays in use; the promoted one scores nothing',
    firstLook: 'the message says what is wrong with it; `freshet model promote` an earlier one meanwhile',
  },
  drift: {
    effect:
      'scores may no longer mean what they did: documents look different from those the model has learned',
    firstLook: '`freshet model drift`: which columns',
  },
  'telemetry-dropping': {
    effect: 'none: only traces and logs are missing',
    firstLook: 'whether Elasticsearch takes telemetry, and telemetry.maxQueuedBytes',
  },
  once: {
    effect: 'what has changed since the last run that was well has no new score',
    firstLook: 'the log of the run; the next one goes on where it was',
  },
}
