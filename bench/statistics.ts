/** The middle of some values; of an even number of them, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which a share of the values lies, interpolated between neighbours. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(position)] as number, sorted[Math.ceil(position)] as number];
  return low + (high - low) * (position - Math.floor(position));
}

/**
 * The interval that holds the true median with at least this confidence, whatever the values are distributed like: each
 * lies on either side of it with the same chance, so the outer ones can be left out by the binomial distribution.
 */
export function medianInterval(values: readonly number[], confidence = 0.95): readonly [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  let outside = 0.5 ** n;
  let chance = outside;
  let rank = 0;
  for (let k = 1; k < n / 2; k++) {
    chance *= (n - k + 1) / k;
    if (2 * (outside + chance) > 1 - confidence) break;
    outside += chance;
    rank = k;
  }
  return [sorted[rank] as number, sorted[n - 1 - rank] as number];
}
