import type { Problems } from "./problems.ts";

/** What an entity or a column may be called. */
export const NAME: RegExp = /^[A-Za-z][A-Za-z0-9_]*$/;

/** `transfersOut` → `transfers_out`, `ERC20Token` → `erc20_token`. */
export function sqlNameOf(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
}

/** `chain_id`, names that begin with `_`, and tables that begin with `spindex_` are ours. */
export function refuseReservedName(place: string, name: string, sqlName: string, problems: Problems): void {
  if (sqlName !== "chain_id" && !sqlName.startsWith("_") && !sqlName.startsWith("spindex_")) return;
  const message = `the name ${name} (${sqlName} in SQL) is reserved`;
  problems.add("SCHEMA_INVALID", place, message, "Take another name: chain_id, _… and spindex_… belong to Spindex.");
}

/** Two of a kind must not meet in SQL, where `fromBlock` and `from_block` are one name. */
export function refuseSameNames(
  place: string,
  what: string,
  named: readonly { readonly name: string; readonly sqlName: string }[],
  problems: Problems,
): void {
  const seen = new Map<string, string>();
  for (const { name, sqlName } of named) {
    const other = seen.get(sqlName);
    if (other === undefined) seen.set(sqlName, name);
    else
      problems.add(
        "SCHEMA_INVALID",
        place,
        `the ${what} ${other} and ${name} are both ${sqlName} in SQL`,
        "Rename one of them.",
      );
  }
}
