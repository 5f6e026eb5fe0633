import type { BlockHeader } from "../chain/block.ts";
import type { ChildAddress } from "../chain/child-address.ts";
import type { Address, Hash } from "../chain/hex.ts";
import type { TableModel } from "../store/table.ts";
import type { Connection } from "./connection.ts";
import { qualified, type SchemaNames } from "./ddl.ts";
import { chainCondition } from "./table-statements.ts";

/** Where a chain was left. */
export interface ChainResume {
  readonly chainId: number;
  /** Everything up to this block is durable. */
  readonly block: number;
  /** Its time in unix seconds, or that of the newest block before it whose time was known. */
  readonly timestamp: number | undefined;
  readonly checkpoint: number;
  readonly live: boolean;
  /** The highest block known to be final; it never falls. */
  readonly finalized: number;
  /** Blocks up to here cannot be taken back: they are final, or no before-images were kept. */
  readonly floor: number;
  /** Addresses of its contracts that are not in the configuration. */
  readonly children: readonly ChildAddress[];
  /** Stored headers from the newest final one on, oldest first: what the source must still agree with. */
  readonly headers: readonly BlockHeader[];
}

/** What the database knows about a shard when it is opened. */
export interface ResumePoint {
  readonly nextCheckpoint: number;
  readonly committedCheckpoint: number;
  /** Only chains that have been written about. */
  readonly chains: readonly ChainResume[];
  /** Names of entities without a row for this shard's chains: all of their rows will be in memory. */
  readonly emptyTables: ReadonlySet<string>;
}

/** Reads where a shard stands. */
export async function readResumePoint(
  connection: Connection,
  names: SchemaNames,
  shard: string,
  tables: readonly TableModel[],
): Promise<ResumePoint> {
  const { rows } = await connection.query(
    `select next_checkpoint, committed_checkpoint from ${qualified(names.internal, "shards")} where shard = $1`,
    [shard],
  );
  const [nextCheckpoint = 1, committedCheckpoint = 0] = (rows[0] ?? []).map(Number);
  return {
    nextCheckpoint,
    committedCheckpoint,
    chains: await readChains(connection, names, shard),
    emptyTables: await readEmptyTables(connection, names, shard, tables),
  };
}

async function readChains(connection: Connection, names: SchemaNames, shard: string): Promise<ChainResume[]> {
  const chains = await connection.query(
    `select chain_id, block, checkpoint, live, finalized, block_timestamp, greatest(finalized, history_floor) from ${qualified(names.internal, "chains")}
     where shard = $1 and block is not null order by chain_id`,
    [shard],
  );
  const headers = await connection.query(
    `select b.* from ${qualified(names.internal, "chains")} c cross join lateral (
       select chain_id, number, hash, parent_hash, "timestamp" from ${qualified(names.internal, "blocks")} b
       where b.chain_id = c.chain_id and b.number >= coalesce((
         select max(number) from ${qualified(names.internal, "blocks")}
         where chain_id = c.chain_id and number <= greatest(c.finalized, c.history_floor)
       ), 0)
     ) b where c.shard = $1 order by b.chain_id, b.number`,
    [shard],
  );
  const children = await readChildren(connection, names, shard);
  return chains.rows.map(([chainId, block, checkpoint, live, finalized, timestamp, floor]) => ({
    chainId: Number(chainId),
    block: Number(block),
    timestamp: timestamp === null ? undefined : Number(timestamp),
    checkpoint: Number(checkpoint),
    live: live === "t",
    finalized: Number(finalized),
    floor: Number(floor),
    children: children.get(Number(chainId)) ?? [],
    headers: headers.rows.filter((row) => row[0] === chainId).map(headerOf),
  }));
}

/** By chain, in the order of their blocks. */
async function readChildren(
  connection: Connection,
  names: SchemaNames,
  shard: string,
): Promise<ReadonlyMap<number, readonly ChildAddress[]>> {
  const { rows } = await connection.query(
    `select chain_id, contract, address, block from ${qualified(names.internal, "factory_addresses")}
     where shard = $1 order by chain_id, block, contract, address`,
    [shard],
  );
  const byChain = new Map<number, ChildAddress[]>();
  for (const [chainId, contract, address, block] of rows) {
    const children = byChain.get(Number(chainId)) ?? [];
    byChain.set(Number(chainId), children);
    children.push({ contract: contract as string, address: address as Address, block: Number(block) });
  }
  return byChain;
}

function headerOf([, number, hash, parentHash, timestamp]: readonly (string | null)[]): BlockHeader {
  return {
    number: Number(number),
    hash: hash as Hash,
    parentHash: parentHash as Hash,
    timestamp: Number(timestamp),
  };
}

/** Names of the entities that have no row for the shard's chains. */
async function readEmptyTables(
  connection: Connection,
  names: SchemaNames,
  shard: string,
  tables: readonly TableModel[],
): Promise<ReadonlySet<string>> {
  if (tables.length === 0) return new Set();
  const checks = tables.map((table) => {
    const condition = chainCondition(
      table,
      "t",
      `any(array(select chain_id from ${qualified(names.internal, "chains")} where shard = $1))`,
    );
    return `not exists (select from ${qualified(names.user, table.sqlName)} t where ${condition})`;
  });
  const { rows } = await connection.query(`select ${checks.join(", ")}, $1::text`, [shard]);
  return new Set(tables.filter((_, at) => rows[0]?.[at] === "t").map((table) => table.name));
}
