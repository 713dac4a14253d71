import type { Service } from '@freshet/service/service.ts'

/** Answers for scores over HTTP until the signal aborts. */
export const runGateway: Service = async ({ signal }) => {
  signal.throwIfAborted()
}
