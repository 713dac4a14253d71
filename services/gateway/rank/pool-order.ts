/**
 * Places of the best `top` values, the best first. Equal values keep their order; what is no number comes last, in its
 * order.
 */
export function bestOf(values: ArrayLike<number>, top: number, order: 'desc' | 'asc'): number[] {
  const sign = order === 'desc' ? 1 : -1
  const places: number[] = []
  const unranked: number[] = []
  for (let place = 0; place < values.length; place++)
    (Number.isNaN(values[place]!) ? unranked : places).push(place)
  places.sort((a, b) => sign * (values[b]! - values[a]!) || a - b)
  return places.length >= top ? places.slice(0, top) : [...places, ...unranked].slice(0, top)
}
