/** A send that takes longer fails, and its batch is scored again: well within what a consumer calls a stall. */
export const PRODUCE_DEADLINE_MS = 20_000
