/**
 * How many rows to ask for, so that pages keep within their bytes: learned from what pages weigh, forgotten with the
 * process. A page that was too large is asked for again with fewer; rows come back as pages turn out to be lighter.
 */
export interface PageSize {
  /** About what a row weighs; 0 as long as nobody knows. */
  readonly rowBytes: number
  /** Most rows that the index allows, once it has said so. */
  readonly maxRows: number
}

export interface PageLimits {
  readonly pageRows: number
  /** Rows that an index allows in one page unless it says otherwise. */
  readonly maxPageRows: number
  readonly maxPageBytes: number
}

export const UNKNOWN_SIZE: PageSize = { rowBytes: 0, maxRows: Number.POSITIVE_INFINITY }

/**
 * @param repeated rows that an inclusive read brings again. They come on top, so each page has at least one new row.
 * @returns maxBytes infinite for one new row: a single document may always pass.
 */
export function nextPage(
  { rowBytes, maxRows }: PageSize,
  repeated: number,
  limits: PageLimits,
): { rows: number; maxBytes: number } {
  const allowed = Math.min(maxRows, limits.maxPageRows) - repeated
  const light = rowBytes === 0 ? limits.pageRows : Math.floor(limits.maxPageBytes / 2 / rowBytes)
  const fresh = Math.max(1, Math.min(limits.pageRows, allowed, light))
  return { rows: fresh + repeated, maxBytes: fresh === 1 ? Number.POSITIVE_INFINITY : limits.maxPageBytes }
}

/** Rows at most double from one page to the next: the heavy ones may be yet to come. */
export function afterPage(size: PageSize, { rows, bytes }: { rows: number; bytes: number }): PageSize {
  return rows === 0 ? size : { ...size, rowBytes: Math.max(bytes / rows, size.rowBytes / 2) }
}

/** A quarter of the rows, and at most half as many as before; unless the index has said how many it allows. */
export function afterTooLarge(
  size: PageSize,
  { rows, maxRows }: { rows: number; maxRows?: number | undefined },
  { maxPageBytes }: PageLimits,
): PageSize {
  if (maxRows !== undefined) return { ...size, maxRows }
  return { ...size, rowBytes: Math.max((2 * maxPageBytes) / rows, 2 * size.rowBytes) }
}
