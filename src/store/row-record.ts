import type { KeyValue, Row } from "./table.ts";

/** Whether a row is in the storage once every run that is sealed so far has been written. */
export type Durability = "absent" | "present" | "unknown";

/** A row in memory. A record with `exists` false knows that there is no such row; its `row` still holds the key. */
export interface RowRecord {
  /** The chain whose rows it is among; 0 for entities that chains share. */
  readonly home: number;
  readonly key: KeyValue;
  row: Row;
  exists: boolean;
  /** The checkpoint that wrote `row`; 0 when it never existed. */
  checkpoint: number;
  /** The batch that changed it last; 0 when it was read from the storage. */
  changedAt: number;
  /** Number of the event that changed it last; 0: none. */
  event: number;
  durability: Durability;
  /** The last run that has it among its changes; 0: none. */
  run: number;
  /** Memory that it takes, about. */
  bytes: number;
  /** It was used since eviction last looked at it. */
  isUsed: boolean;
  /** It holds a change that is in no sealed run. */
  isPending: boolean;
  /** The row under which the indexes of its home have it; undefined: they have not, or there are none. */
  indexed: Row | undefined;
}
