import type { RowRecord } from "./row-record.ts";
import type { Row } from "./table.ts";

/** What a record was at a moment. */
export interface Image {
  readonly record: RowRecord;
  readonly row: Row;
  readonly exists: boolean;
  readonly checkpoint: number;
  readonly changedAt: number;
  readonly event: number;
  /** Memory that it takes, about. */
  readonly bytes: number;
}

/** What a record was before the checkpoint `changedAt` changed it. */
export interface BeforeImage extends Image {
  /** False: the record was made by that change, and only the storage can tell what was there. */
  readonly isKnown: boolean;
}

export function imageOf(record: RowRecord): Image {
  const { row, exists, checkpoint, changedAt, event, bytes } = record;
  return { record, row, exists, checkpoint, changedAt, event, bytes };
}
