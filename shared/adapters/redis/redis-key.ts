import { tagsOverSlots } from './key-slot.ts'

/** Where the score of a document key lies. */
export function redisKey(pipeline: string, key: string): string {
  return `${pipeline}:score:${key}`
}

/** Masters that hold fewer slots in a row than 16384 / 128 may have no mark of their own. */
const MARKS = 128

/** Where it is written that all scores are in Redis. */
export function markKeys(pipeline: string, isCluster: boolean): string[] {
  const key = `${pipeline}:filled`
  return isCluster ? tagsOverSlots(MARKS).map((tag) => `${key}:{${tag}}`) : [key]
}
