import { FreshetError } from '@freshet/errors/errors.ts'

/** One thing that is wrong with a request. */
export interface Fault {
  /** JSON pointer into the body; empty for the body as a whole. */
  readonly at: string
  readonly message: string
}

/** A request whose body is not what it should be, or a document that cannot be scored: the places stand beside it. */
export class RequestFault extends FreshetError {
  readonly faults: readonly Fault[]

  constructor(code: FreshetError['code'], message: string, faults: readonly Fault[]) {
    super(code, message)
    this.faults = faults
  }
}

/** RFC 6901. */
export function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
