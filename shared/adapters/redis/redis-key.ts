/** Where the score of a document key lies. */
export function redisKey(pipeline: string, key: string): string {
  return `${pipeline}:score:${key}`
}
