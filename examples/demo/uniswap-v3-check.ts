import type { Client } from "pg";
import { type Check, checkQuery, eventKey, textRows } from "./check.ts";
import { compareRows, readCsv, type TextRow } from "./compare.ts";

const ORIGIN = "demeter-fetch";
const POOL = "88e6a0c2ddd26feeb64f039a2c41296fcb3f5640";
const OF_POOL = `where pool = '0x${POOL}'`;
const EVENT_COLUMNS = "block as block_number, timestamp as block_timestamp, log_index, transaction_hash";
const POSITION_COLUMNS = "tick_lower, tick_upper, amount0, amount1";

/** For each type of row: the query that gives what the log itself holds, with the CSV's names. */
const EVENT_QUERIES: Readonly<Record<string, { readonly table: string; readonly sql: string }>> = {
  SWAP: {
    table: "swap",
    sql: `select ${EVENT_COLUMNS}, sender, recipient as receipt, amount0, amount1, liquidity as total_liquidity,
            sqrt_price_x96 as "sqrtPriceX96", tick as current_tick from uniswap_v3.swap ${OF_POOL}`,
  },
  MINT: {
    table: "mint",
    sql: `select ${EVENT_COLUMNS}, ${POSITION_COLUMNS}, sender, liquidity from uniswap_v3.mint ${OF_POOL}`,
  },
  BURN: {
    table: "burn",
    sql: `select ${EVENT_COLUMNS}, ${POSITION_COLUMNS}, owner as sender, liquidity from uniswap_v3.burn ${OF_POOL}`,
  },
  COLLECT: {
    table: "collect",
    sql: `select ${EVENT_COLUMNS}, ${POSITION_COLUMNS}, owner as sender, recipient as receipt
            from uniswap_v3.collect ${OF_POOL}`,
  },
};

const SHARED = ["block_number", "block_timestamp", "log_index", "transaction_hash", "sender", "amount0", "amount1"];
const RANGE = ["tick_lower", "tick_upper"];
/** The columns that a log of each type holds; the rest of the CSV's are the pool's running state. */
const LOG_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  SWAP: [...SHARED, "receipt", "total_liquidity", "sqrtPriceX96", "current_tick"],
  MINT: [...SHARED, ...RANGE, "liquidity"],
  BURN: [...SHARED, ...RANGE, "liquidity"],
  COLLECT: [...SHARED, ...RANGE, "receipt"],
};

/** Holds the uniswap-v3 example against demeter-fetch: each event of one pool, and each minute of its day. */
export async function checkUniswapV3(database: Client, data: string): Promise<Check[]> {
  const day = `${data}/expected-univ3-0x${POOL}-2024-01-05`;
  const events = await readCsv(`${day}.pool.tick.csv.gz`);
  const checks: Check[] = [];
  for (const [type, query] of Object.entries(EVENT_QUERIES)) {
    const expected = events.filter((row) => row.tx_type === type).map((row) => pick(row, LOG_COLUMNS[type] ?? []));
    checks.push(await checkQuery(database, { ...query, origin: ORIGIN, expected, keyOf: eventKey }));
  }
  const minutes = (await readCsv(`${day}.minute.csv.gz`)).map((row) => pick(row, Object.keys(row)));
  const rows = await textRows(
    database,
    `select minute as timestamp, net_amount0 as "netAmount0", net_amount1 as "netAmount1",
       in_amount0 as "inAmount0", in_amount1 as "inAmount1", open_tick as "openTick", close_tick as "closeTick",
       lowest_tick as "lowestTick", highest_tick as "highestTick", liquidity as "currentLiquidity"
     from uniswap_v3.pool_minute ${OF_POOL} order by minute`,
  );
  const compared = compareRows(minutes, fillMinutes(rows), (row) => `minute ${row.timestamp}`);
  checks.push({ table: "pool_minute", origin: ORIGIN, ...compared });
  return checks;
}

/** Takes some columns, and turns `199045.0` and `2024-01-05 00:00:23` into `199045` and unix seconds. */
export function pick(row: TextRow, columns: readonly string[]): TextRow {
  return Object.fromEntries(
    columns.map((column) => {
      const value = row[column] ?? "";
      if (/^-?\d+\.0$/.test(value)) return [column, value.slice(0, -2)];
      if (/^\d{4}-\d\d-\d\d /.test(value)) return [column, String(Date.parse(`${value.replace(" ", "T")}Z`) / 1000)];
      return [column, value];
    }),
  );
}

/** Adds the minutes without a swap, as demeter-fetch writes them: nothing moved, the last tick and liquidity stay. */
export function fillMinutes(rows: readonly TextRow[]): TextRow[] {
  const filled: TextRow[] = [];
  for (const row of rows) {
    for (let before = filled.at(-1); before !== undefined; before = filled.at(-1)) {
      const minute = Number(before.timestamp) + 60;
      if (minute >= Number(row.timestamp)) break;
      filled.push(emptyMinute(minute, before));
    }
    filled.push(row);
  }
  return filled;
}

function emptyMinute(minute: number, before: TextRow): TextRow {
  const tick = before.closeTick ?? "";
  return {
    timestamp: String(minute),
    netAmount0: "0",
    netAmount1: "0",
    inAmount0: "0",
    inAmount1: "0",
    openTick: tick,
    closeTick: tick,
    lowestTick: tick,
    highestTick: tick,
    currentLiquidity: before.currentLiquidity ?? "",
  };
}
