import type { IndexerTelemetry } from "../instrument/create-telemetry.ts";
import type { PostgresStorage } from "../postgres/storage.ts";
import type { SessionOptions } from "./session.ts";

/** The shard that this process has. */
export type HeldShard = Pick<PostgresStorage, "breakOff" | "close">;

/** What an indexer is run with. */
export interface IndexerOptions extends SessionOptions {
  readonly databaseUrl: string;
  /** PostgreSQL schema of the tables. */
  readonly schema: string;
  readonly shard: string;
  readonly version: string;
  /** End at once, with SHARD_TAKEN, when another process has the shard; else wait as a standby. */
  readonly noWait?: boolean;
  readonly telemetry: IndexerTelemetry;
  /** Called when this process has the shard: for an end that no loop knows of. */
  readonly onShard?: (shard: HeldShard) => void;
  /** Where the HTTP endpoints listen; undefined: nowhere. */
  readonly listen: { readonly host: string; readonly port: number; readonly nextFreePort: boolean } | undefined;
  /** How long the HTTP endpoints stay up after a fatal error, so that it is scraped. */
  readonly lingerMs: number;
}
