/** For what hands over to an outbox, which is flushed by whoever opened it. */
export const FLUSHED_ELSEWHERE = { async forceFlush() {}, async shutdown() {} }
