import { type Flight, flightUpdates, readFlights } from '@freshet/demo/flights.ts'

/** So many documents of about 300 bytes, each under an id of its own: flights at every stage of their way, mixed. */
export async function flightDocuments(count: number): Promise<Flight[]> {
  const flights = await readFlights()
  const documents: Flight[] = []
  for (let round = 1; documents.length < count; round++)
    for (const { id, document } of flightUpdates(flights, { seed: round, underWay: 1_000 })) {
      if (documents.length === count) break
      documents.push({ id: `${id}-${documents.length}`, document })
    }
  return documents
}
