export interface ChainDefaults {
  /** Blocks. */
  readonly maxReorgDepth: number;
  readonly pollIntervalMs: number;
}

/**
 * What is sensible for a chain: how deep its reorganisations have been or can be before finality, with room to spare,
 * and about half its block time.
 */
const DEFAULTS: ReadonlyMap<number, ChainDefaults> = new Map([
  // Ethereum and its test networks: two epochs until finality, 12 s a block
  [1, { maxReorgDepth: 64, pollIntervalMs: 3_000 }],
  [11_155_111, { maxReorgDepth: 64, pollIntervalMs: 3_000 }],
  [17_000, { maxReorgDepth: 64, pollIntervalMs: 3_000 }],
  [560_048, { maxReorgDepth: 64, pollIntervalMs: 3_000 }],
  // Gnosis: 5 s
  [100, { maxReorgDepth: 64, pollIntervalMs: 2_000 }],
  // Polygon: reorganisations of more than 150 blocks have happened
  [137, { maxReorgDepth: 200, pollIntervalMs: 1_000 }],
  [80_002, { maxReorgDepth: 200, pollIntervalMs: 1_000 }],
  // BNB Smart Chain
  [56, { maxReorgDepth: 50, pollIntervalMs: 500 }],
  // Avalanche C-Chain: final when accepted
  [43_114, { maxReorgDepth: 16, pollIntervalMs: 1_000 }],
  // Rollups: the sequencer's word changes only when the chain below reorganises
  [10, { maxReorgDepth: 128, pollIntervalMs: 1_000 }],
  [8_453, { maxReorgDepth: 128, pollIntervalMs: 1_000 }],
  [42_161, { maxReorgDepth: 256, pollIntervalMs: 500 }],
  [42_170, { maxReorgDepth: 256, pollIntervalMs: 500 }],
  [59_144, { maxReorgDepth: 128, pollIntervalMs: 1_000 }],
  [534_352, { maxReorgDepth: 128, pollIntervalMs: 1_000 }],
  [324, { maxReorgDepth: 256, pollIntervalMs: 1_000 }],
  // Nodes for development
  [1_337, { maxReorgDepth: 64, pollIntervalMs: 250 }],
  [31_337, { maxReorgDepth: 64, pollIntervalMs: 250 }],
]);

export function defaultsOfChain(id: number): ChainDefaults {
  return DEFAULTS.get(id) ?? { maxReorgDepth: 128, pollIntervalMs: 1_000 };
}
