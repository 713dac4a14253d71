/**
 * How Node runs a service (package.json and the Dockerfile say the same): young objects die young here, and V8's bigger
 * nursery only makes the processes bigger. Figures: docs/decisions/0008-memory.md.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=8']
