/** Seeds that have failed, each with the schedule that it found. They run first, so that nothing comes back unseen. */
export const KEPT_SEEDS: readonly { readonly seed: number; readonly found: string }[] = [];
