import type { Flight } from '@freshet/demo/flights.ts'
import type { Stack } from '../stack.ts'

const BULK_DOCUMENTS = 1_000

/** @param flights under distinct ids. */
export async function writeFlights(stack: Stack, flights: readonly Flight[]): Promise<void> {
  for (let from = 0; from < flights.length; from += BULK_DOCUMENTS) {
    const part = flights.slice(from, from + BULK_DOCUMENTS)
    await stack.write(Object.fromEntries(part.map(({ id, document }) => [id, document])))
  }
}
