import type { BlockHeader } from "../chain/block.ts";
import type { ChainResume, ResumePoint } from "../postgres/resume.ts";
import type { CheckpointPosition, DrainRun, SkippedEvent, StoredChild } from "../store/drain-run.ts";
import type { EffectRow } from "../store/effect-table.ts";
import type { ChainMetadata } from "../write/chain-metadata.ts";
import type { RawEventRow } from "../write/raw-events.ts";
import { decodedEffects, decodedRawEvents, type EncodedImage, type EncodedRow } from "./memory-codec.ts";

/** A durable run, its rows apart. */
export type DurableRun = Omit<DrainRun, "tables" | "effects" | "rawEvents">;

/** A durable rollback. */
export interface DurableRollback {
  /** The number that it took itself. */
  readonly checkpoint: number;
  readonly chainId: number;
  readonly toBlock: number;
  /** The first checkpoint that it took back; undefined: none. */
  readonly firstOrphaned: number | undefined;
  /** The last checkpoint of the chain before it. */
  readonly lastOrphaned: number;
  readonly rowsRestored: number;
  readonly rowsDeleted: number;
}

/** A table: rows by key, before-images by key and checkpoint. */
export interface Contents {
  readonly rows: ReadonlyMap<string, EncodedRow>;
  readonly history: ReadonlyMap<string, EncodedImage>;
}

/** What is stored of a chain. */
export interface StoredChain {
  readonly chainId: number;
  /** Undefined: nothing has been written but metadata. */
  readonly block: number | undefined;
  readonly timestamp: number | undefined;
  readonly checkpoint: number;
  readonly head: number;
  readonly live: boolean;
  readonly finalized: number;
  readonly historyFloor: number;
  readonly sources: ChainMetadata["sources"];
  /** By number, ascending. */
  readonly headers: readonly BlockHeader[];
}

/** Everything that is durable at one moment. Nothing in it is ever changed: a write makes the next one. */
export interface MemoryState {
  /** The one writer. */
  readonly token: string | undefined;
  /** How often a writer has taken it. */
  readonly starts: number;
  readonly writeSeq: number;
  readonly nextCheckpoint: number;
  readonly committedCheckpoint: number;
  readonly tables: ReadonlyMap<string, Contents>;
  readonly chains: ReadonlyMap<number, StoredChain>;
  /** Oldest first; those that a rollback has taken back included. */
  readonly runs: readonly DurableRun[];
  readonly rollbacks: readonly DurableRollback[];
  readonly positions: readonly CheckpointPosition[];
  readonly skipped: readonly SkippedEvent[];
  /** By chain, contract and address. */
  readonly children: ReadonlyMap<string, StoredChild>;
  /** By effect and input. */
  readonly effects: ReadonlyMap<string, EffectRow>;
  /** In the order of their checkpoints. */
  readonly rawEvents: readonly RawEventRow[];
}

/** The state of a new database. */
export function emptyState(tables: readonly string[]): MemoryState {
  return {
    token: undefined,
    starts: 0,
    writeSeq: 0,
    nextCheckpoint: 1,
    committedCheckpoint: 0,
    tables: new Map(tables.map((name) => [name, { rows: new Map(), history: new Map() }])),
    chains: new Map(),
    runs: [],
    rollbacks: [],
    positions: [],
    skipped: [],
    children: new Map(),
    effects: new Map(),
    rawEvents: [],
  };
}

/** The state once a run has brought these tables, and what goes with them. */
export function withRun(
  state: MemoryState,
  run: DrainRun,
  tables: MemoryState["tables"],
  metadata: readonly ChainMetadata[],
): MemoryState {
  const { tables: _, effects, rawEvents, ...durable } = run;
  const changed = new Map(state.effects);
  for (const row of decodedEffects(effects)) changed.set(effectPlaceOf(row), row);
  const { to } = run.checkpoints;
  return {
    ...withMetadata(state, metadata, run),
    committedCheckpoint: to,
    nextCheckpoint: to + 1,
    tables,
    runs: [...state.runs, durable],
    positions: [...state.positions, ...run.positions],
    skipped: [...state.skipped, ...run.skipped],
    children: withChildren(state.children, run.children),
    effects: changed,
    rawEvents: [...state.rawEvents, ...decodedRawEvents(rawEvents)],
  };
}

/** The state once something new is known of chains: from a run, or alone. */
export function withMetadata(
  state: MemoryState,
  metadata: readonly ChainMetadata[],
  run: Pick<DrainRun, "mode" | "progress"> = { mode: "keep", progress: [] },
): MemoryState {
  const chains = new Map(state.chains);
  for (const { chainId, head, live, sources } of metadata) {
    const known = chains.get(chainId) ?? unknownChain(chainId);
    chains.set(chainId, { ...known, head, live: known.live || live, sources });
  }
  for (const { chainId, block, timestamp, checkpoint, head, headers } of run.progress) {
    const known = chains.get(chainId) ?? unknownChain(chainId);
    chains.set(chainId, {
      ...known,
      block,
      timestamp: timestamp ?? known.timestamp,
      checkpoint,
      // The metadata is of now, the progress of when the blocks were fetched.
      head: metadata.some((chain) => chain.chainId === chainId) ? known.head : head.number,
      live: known.live || head.live,
      finalized: Math.max(known.finalized, head.finalized),
      historyFloor: run.mode === "final" ? Math.max(known.historyFloor, block) : known.historyFloor,
      headers: mergedHeaders(known.headers, headers),
    });
  }
  return { ...state, chains };
}

/** The place of a stored output. */
export function effectPlaceOf({ effect, inputHash }: Pick<EffectRow, "effect" | "inputHash">): string {
  return `${effect} ${inputHash}`;
}

/** Where a new session goes on. */
export function resumePointOf(state: MemoryState): ResumePoint {
  const { committedCheckpoint, nextCheckpoint, chains, tables } = state;
  return {
    committedCheckpoint,
    nextCheckpoint,
    chains: [...chains.values()]
      .toSorted((a, b) => a.chainId - b.chainId)
      .flatMap((chain) => chainResumeOf(chain, state.children)),
    emptyTables: new Set([...tables].filter(([, { rows }]) => rows.size === 0).map(([name]) => name)),
  };
}

function chainResumeOf({ block, historyFloor, ...chain }: StoredChain, stored: MemoryState["children"]): ChainResume[] {
  if (block === undefined) return [];
  const { chainId, timestamp, checkpoint, live, finalized, headers } = chain;
  const floor = Math.max(finalized, historyFloor);
  const children = [...stored.values()]
    .filter((child) => child.chainId === chainId)
    .map(({ contract, address, block: first }) => ({ contract, address, block: first }));
  return [{ chainId, block, timestamp, checkpoint, live, finalized, floor, children, headers }];
}

function unknownChain(chainId: number): StoredChain {
  return {
    chainId,
    block: undefined,
    timestamp: undefined,
    checkpoint: 0,
    head: -1,
    live: false,
    finalized: -1,
    historyFloor: -1,
    sources: [],
    headers: [],
  };
}

function withChildren(known: MemoryState["children"], added: readonly StoredChild[]): MemoryState["children"] {
  if (added.length === 0) return known;
  const children = new Map(known);
  for (const child of added) {
    const place = `${child.chainId} ${child.contract} ${child.address}`;
    const before = children.get(place);
    if (before === undefined || before.block > child.block) children.set(place, child);
  }
  return children;
}

function mergedHeaders(known: readonly BlockHeader[], added: readonly BlockHeader[]): readonly BlockHeader[] {
  if (added.length === 0) return known;
  const byNumber = new Map(known.map((header) => [header.number, header]));
  for (const header of added) byNumber.set(header.number, header);
  return [...byNumber.values()].toSorted((a, b) => a.number - b.number);
}
