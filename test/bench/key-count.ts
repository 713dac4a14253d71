/** Of the figures that speak of a large snapshot; BENCH_KEYS in the environment makes it smaller for a look. */
export const KEYS = Number(process.env.BENCH_KEYS ?? 10_000_000)
