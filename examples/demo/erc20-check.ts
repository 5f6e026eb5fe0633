import type { Client } from "pg";
import { type Check, checkQuery, eventKey, textRows } from "./check.ts";
import { readCsv, type TextRow } from "./compare.ts";

const ORIGIN = "ethereum-etl";
const ZERO_ADDRESS = `0x${"0".repeat(40)}`;

/**
 * Holds the erc20 example against what ethereum-etl found in the same blocks: each transfer, and the balances and
 * totals that follow from its transfers.
 */
export async function checkErc20(database: Client, data: string): Promise<Check[]> {
  const csv = await readCsv(`${data}/expected-etl-token-transfers.csv.gz`);
  // Rows hold no block hash: it is in the progress tables.
  const transfers = csv.map(({ block_hash: _, ...row }) => row);
  const standards = await textRows(database, "select distinct token, standard from erc20.transfer");
  const nonFungible = new Set(standards.filter((row) => row.standard === "erc721").map((row) => row.token));
  const totals = totalsOf(csv, (token) => nonFungible.has(token));
  return [
    await checkQuery(database, {
      table: "transfer",
      origin: ORIGIN,
      expected: transfers,
      sql: `select block as block_number, timestamp as block_timestamp, log_index, transaction_hash,
              token as token_address, "from" as from_address, "to" as to_address, value from erc20.transfer`,
      keyOf: eventKey,
    }),
    await checkQuery(database, {
      table: "account",
      origin: ORIGIN,
      expected: totals.accounts,
      sql: "select token, owner, balance from erc20.account",
      keyOf: (row) => `token ${row.token}, owner ${row.owner}`,
    }),
    await checkQuery(database, {
      table: "token",
      origin: ORIGIN,
      expected: totals.tokens,
      sql: "select id, transfers, volume from erc20.token",
      keyOf: (row) => `token ${row.id}`,
    }),
  ];
}

/** Balances and totals as the transfers of the CSV make them, wrapping at 256 bits as the example does. */
export function totalsOf(
  transfers: readonly TextRow[],
  isNonFungible: (token: string) => boolean,
): { readonly accounts: TextRow[]; readonly tokens: TextRow[] } {
  const balances = new Map<string, bigint>();
  const tokens = new Map<string, { transfers: number; volume: bigint }>();
  const add = (token: string, owner: string, amount: bigint): void => {
    if (owner === ZERO_ADDRESS) return;
    const key = `${token} ${owner}`;
    balances.set(key, BigInt.asIntN(256, (balances.get(key) ?? 0n) + amount));
  };
  for (const { token_address: token, from_address: from, to_address: to, value } of transfers) {
    if (token === undefined || from === undefined || to === undefined || value === undefined) {
      throw new Error("expected-etl-token-transfers: a column is missing");
    }
    const amount = isNonFungible(token) ? 1n : BigInt(value);
    add(token, from, -amount);
    add(token, to, amount);
    const total = tokens.get(token) ?? { transfers: 0, volume: 0n };
    tokens.set(token, {
      transfers: total.transfers + 1,
      volume: BigInt.asUintN(256, total.volume + amount),
    });
  }
  return {
    accounts: [...balances].map(([key, balance]) => {
      const [token = "", owner = ""] = key.split(" ");
      return { token, owner, balance: String(balance) };
    }),
    tokens: [...tokens].map(([id, { transfers: count, volume }]) => ({
      id,
      transfers: String(count),
      volume: String(volume),
    })),
  };
}
