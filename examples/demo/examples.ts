import type { Client } from "pg";
import type { Check } from "./check.ts";
import { checkErc20 } from "./erc20-check.ts";
import { checkUniswapV3 } from "./uniswap-v3-check.ts";

/** An example project, the real blocks it is run on, and how its tables are checked. */
export interface Example {
  /** Its folder under examples/. */
  readonly folder: string;
  /** The PostgreSQL schema of its tables. */
  readonly schema: string;
  readonly about: string;
  /** A file in examples/data. */
  readonly blockFile: string;
  /** Holds the tables against independent values in the folder `data`. */
  check(database: Client, data: string): Promise<Check[]>;
}

export const EXAMPLES: readonly Example[] = [
  {
    folder: "erc20",
    schema: "erc20",
    about: "every token transfer in four blocks of 2016 and 2023",
    blockFile: "etl-blocks.ndjson.gz",
    check: checkErc20,
  },
  {
    folder: "uniswap-v3",
    schema: "uniswap_v3",
    about: "three Uniswap v3 pools on 5 January 2024",
    blockFile: "univ3-mainnet-2024-01-05.ndjson.gz",
    check: checkUniswapV3,
  },
];
