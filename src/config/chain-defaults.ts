export interface ChainDefaults {
  /** About the time between two blocks. */
  readonly blockSeconds: number;
  /** Blocks. */
  readonly maxReorgDepth: number;
  readonly pollIntervalMs: number;
}

/**
 * What is sensible for a chain: how deep its reorganisations have been or can be before finality, with room to spare,
 * and about half its block time.
 */
const DEFAULTS: ReadonlyMap<number, ChainDefaults> = new Map([
  // Ethereum and its test networks: two epochs until finality
  [1, { blockSeconds: 12, maxReorgDepth: 64, pollIntervalMs: 3_000 }],
  [11_155_111, { blockSeconds: 12, maxReorgDepth: 64, pollIntervalMs: 3_000 }],
  [17_000, { blockSeconds: 12, maxReorgDepth: 64, pollIntervalMs: 3_000 }],
  [560_048, { blockSeconds: 12, maxReorgDepth: 64, pollIntervalMs: 3_000 }],
  // Gnosis
  [100, { blockSeconds: 5, maxReorgDepth: 64, pollIntervalMs: 2_000 }],
  // Polygon: reorganisations of more than 150 blocks have happened
  [137, { blockSeconds: 2, maxReorgDepth: 200, pollIntervalMs: 1_000 }],
  [80_002, { blockSeconds: 2, maxReorgDepth: 200, pollIntervalMs: 1_000 }],
  // BNB Smart Chain
  [56, { blockSeconds: 0.75, maxReorgDepth: 50, pollIntervalMs: 500 }],
  // Avalanche C-Chain: final when accepted
  [43_114, { blockSeconds: 1.5, maxReorgDepth: 16, pollIntervalMs: 1_000 }],
  // Rollups: the sequencer's word changes only when the chain below reorganises
  [10, { blockSeconds: 2, maxReorgDepth: 128, pollIntervalMs: 1_000 }],
  [8_453, { blockSeconds: 2, maxReorgDepth: 128, pollIntervalMs: 1_000 }],
  [42_161, { blockSeconds: 0.25, maxReorgDepth: 256, pollIntervalMs: 500 }],
  [42_170, { blockSeconds: 0.25, maxReorgDepth: 256, pollIntervalMs: 500 }],
  [59_144, { blockSeconds: 2, maxReorgDepth: 128, pollIntervalMs: 1_000 }],
  [534_352, { blockSeconds: 3, maxReorgDepth: 128, pollIntervalMs: 1_000 }],
  [324, { blockSeconds: 1, maxReorgDepth: 256, pollIntervalMs: 1_000 }],
  // Nodes for development
  [1_337, { blockSeconds: 1, maxReorgDepth: 64, pollIntervalMs: 250 }],
  [31_337, { blockSeconds: 1, maxReorgDepth: 64, pollIntervalMs: 250 }],
]);

export function defaultsOfChain(id: number): ChainDefaults {
  return DEFAULTS.get(id) ?? { blockSeconds: 12, maxReorgDepth: 128, pollIntervalMs: 1_000 };
}

/** The default objective: some blocks of patience, and the time of those that are held back on purpose. */
export function freshnessObjectiveSeconds(blockSeconds: number, blockLag: number): number {
  return Math.max(30, 5 * blockSeconds) + blockLag * blockSeconds;
}
