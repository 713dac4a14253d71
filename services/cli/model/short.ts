/** A number in four digits, for people. */
export function short(value: number): string {
  return String(Number(value.toPrecision(4)))
}
