/** Why an answer is degraded, as callers and spans see it. */
export const REASONS = {
  cache_late: 'Redis did not answer within its budget.',
  cache_unreachable: 'There is no connection to Redis.',
  cache_refused: 'Redis answered with an error.',
  cache_cut_off: 'Redis failed too often just now; it is tried again every moment.',
  cache_unreadable: 'What Redis holds was written by another version, or by somebody else.',
  cache_filling:
    'Redis has nothing of the key, but does not hold all scores yet: they are being brought back.',
  cache_missing: 'The snapshot has the key and Redis does not, though it should hold all scores.',
  cache_behind: 'The snapshot has a newer score than Redis.',
  snapshot_loading: 'Redis has nothing, and the snapshot is not loaded yet.',
  snapshot_late: 'Redis has nothing, and S3 did not answer in time.',
  snapshot_unreadable: 'Redis has nothing, and S3 could not be read.',
  snapshot_cut_off: 'Redis has nothing, and S3 failed too often just now; it is tried again every moment.',
  unscorable: 'The current document cannot be scored, and an older score must not be shown.',
  model_missing: 'No model is loaded.',
  live_late: 'Live inference did not end within its budget.',
  live_failed: 'Live inference failed.',
  live_overloaded: 'Too many documents wait for live inference.',
  elasticsearch_late: 'Elasticsearch did not name the documents within its budget.',
  elasticsearch_unreachable: 'Elasticsearch cannot be reached, or its shards cannot.',
  elasticsearch_refused: 'Elasticsearch answered the search with an error.',
  elasticsearch_cut_off: 'Elasticsearch failed too often just now; it is tried again every moment.',
  elasticsearch_overloaded: 'Too many searches are under way already.',
  elasticsearch_partial: 'Some shards of Elasticsearch failed, or did not look at everything in time.',
  score_missing: 'No store has a score of it yet.',
  deadline: 'The caller’s deadline left no time to ask.',
  overloaded: 'The gateway has more requests in hand than it can ask for.',
} as const satisfies Record<string, string>

export type Reason = keyof typeof REASONS
