/**
 * Every setting of Freshet: type, bounds, default and help in one place, each section in a file of its own. Environment
 * names, the messages for wrong values and `docs/reference/config.md` are made from it.
 */
import { z } from 'zod'
import { alertsSchema, slackSchema } from './alert-routes.ts'
import { elasticsearchSchema } from './elasticsearch.ts'
import { gatewaySchema } from './gateway.ts'
import { kafkaSchema } from './kafka.ts'
import { kibanaSchema } from './kibana.ts'
import { modelSchema } from './model.ts'
import { redisSchema } from './redis.ts'
import { s3Schema } from './s3.ts'
import { scorerSchema } from './scorer.ts'
import { snapshotSchema } from './snapshot.ts'
import { sweepSchema } from './sweep.ts'
import { telemetrySchema } from './telemetry.ts'
import { watchdogSchema } from './watchdog.ts'

const pipelineSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,63}$/, 'lower-case letters, digits, _ and -, starting with a letter')
  .default('freshet')
  .describe('Name of the pipeline: topics, consumer groups and Redis keys start with it.')

export const settingsSchema = z.strictObject({
  pipeline: pipelineSchema,
  elasticsearch: elasticsearchSchema,
  sweep: sweepSchema,
  kafka: kafkaSchema,
  redis: redisSchema,
  s3: s3Schema,
  model: modelSchema,
  scorer: scorerSchema,
  snapshot: snapshotSchema,
  gateway: gatewaySchema,
  watchdog: watchdogSchema,
  slack: slackSchema,
  alerts: alertsSchema,
  telemetry: telemetrySchema,
  kibana: kibanaSchema,
})

export type Settings = z.infer<typeof settingsSchema>

/** Paths whose values are never shown. URLs are shown without their password. */
export const SECRETS: readonly string[] = [
  'alerts.pingUrl',
  'alerts.webhook.headers',
  'alerts.webhook.url',
  'elasticsearch.apiKey',
  'gateway.rank.apiKey',
  'kafka.password',
  'kibana.apiKey',
  's3.secretAccessKey',
  'slack.webhookUrl',
  'telemetry.apiKey',
  'telemetry.keySalt',
]
