import type { Buffer } from 'node:buffer'
import type { JsonScanner } from './json-scanner.ts'
import type { CutHit } from './search-hits.ts'

/** Where the parts of a hit lie that differ from hit to hit. */
export interface HitPlaces {
  readonly from: number
  readonly seqNoFrom: number
  readonly seqNoTo: number
  /** The number that it was sorted by. */
  readonly sortFrom: number
  readonly sortTo: number
  readonly to: number
}

/**
 * The hits of a page look alike: the same names in the same order, the same index, term and scope. So what one hit had between
 * its own id, numbers and document is looked for in the next as it is, a third of the work of reading it name by name.
 */
export class HitShape {
  readonly #hit: CutHit
  readonly #toId: Buffer
  readonly #toSeqNo: Buffer
  readonly #toSource: Buffer
  readonly #toSort: Buffer
  readonly #toEnd: Buffer

  /** @returns undefined for a hit whose parts are not all there, or in another order */
  static of(response: Buffer, hit: CutHit, places: HitPlaces): HitShape | undefined {
    const { idFrom, idTo, sourceFrom, sourceTo } = hit
    const { from, seqNoFrom, seqNoTo, sortFrom, sortTo, to } = places
    const order = [from, idFrom, idTo, seqNoFrom, seqNoTo, sourceFrom, sourceTo, sortFrom, sortTo, to]
    const isOrdered = order.every((at, place) => place === 0 || at > order[place - 1]!)
    return isOrdered ? new HitShape(response, hit, places) : undefined
  }

  private constructor(response: Buffer, hit: CutHit, places: HitPlaces) {
    this.#hit = hit
    this.#toId = response.subarray(places.from, hit.idFrom)
    this.#toSeqNo = response.subarray(hit.idTo, places.seqNoFrom)
    this.#toSource = response.subarray(places.seqNoTo, hit.sourceFrom)
    this.#toSort = response.subarray(hit.sourceTo, places.sortFrom)
    this.#toEnd = response.subarray(places.sortTo, places.to)
  }

  /** @returns undefined, and stands anywhere, when this hit looks otherwise */
  cut(scan: JsonScanner): CutHit | undefined {
    if (!scan.pass(this.#toId)) return undefined
    const idFrom = scan.at
    scan.passPlainText()
    const idTo = scan.at
    if (!scan.pass(this.#toSeqNo)) return undefined
    const seqNo = scan.passCount()
    if (seqNo === undefined || !scan.pass(this.#toSource)) return undefined
    const sourceFrom = scan.at
    scan.skip()
    const sourceTo = scan.at
    if (!scan.pass(this.#toSort) || scan.passCount() === undefined || !scan.pass(this.#toEnd))
      return undefined
    const { index, primaryTerm, isInScope } = this.#hit
    return { index, idFrom, idTo, isIdPlain: true, sourceFrom, sourceTo, seqNo, primaryTerm, isInScope }
  }
}
