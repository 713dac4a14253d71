import type { Log } from './log.ts'

/** For commands that report in their own words: adapters' retries are not news there. */
export const quietLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
