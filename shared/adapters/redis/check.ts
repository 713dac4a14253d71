import type { Settings } from '@freshet/config/schema.ts'
import { askOnce } from './ask-once.ts'
import { assertFit } from './assert-fit.ts'

/**
 * Proves that Redis can be reached, lets us in, and orders strings as we need.
 * @throws REDIS_UNREACHABLE, REDIS_UNAUTHORIZED, REDIS_REFUSED, REDIS_COLLATION, CONFIG_INVALID
 */
export function checkRedis(settings: Settings['redis']): Promise<void> {
  return askOnce(settings, assertFit)
}
