/** Seeds that have failed, each with the schedule that it found. They run first, so that nothing comes back unseen. */
export const KEPT_SEEDS: readonly { readonly seed: number; readonly found: string }[] = [
  {
    seed: 226,
    found: "rows that were not durable were evicted after a reorg: runs were counted anew in one place only",
  },
];
