/**
 * The only door to kafkajs 2.2.4. Before it loads, some of its inner functions are replaced by leaner ones that do the
 * same, byte for byte, at a fraction of the cost (docs/decisions/0004-kafkajs-behind-guards.md).
 */
import './lean-kafkajs.ts'

export * from 'kafkajs'
export { default } from 'kafkajs'
