import type { AddressTable } from "../abi/address-table.ts";
import type { FetchedRange } from "../batch/batch.ts";
import type { FieldSelection, TransactionFields } from "../chain/fields.ts";
import { assert } from "../errors.ts";
import { type EventBlock, type EventTransaction, HandledEvent } from "./event.ts";
import type { EventRoute } from "./event-route.ts";

/** An event with what its handler selects of its block and transaction; other handlers' fields are not in it. */
export class DetailedEvent extends HandledEvent {
  readonly #transactionFields: Partial<TransactionFields>;

  constructor(
    route: EventRoute,
    fields: FieldSelection,
    args: Readonly<Record<string, unknown>>,
    block: EventBlock,
    range: FetchedRange,
    row: number,
    addresses: AddressTable,
  ) {
    const { page } = range;
    const details = range.details?.get(page.blockNumber[row] as number);
    assert(details !== undefined, `block ${block.number} was fetched without the fields that ${route.label} selects`);
    const blockWith = Object.freeze({ ...block, ...picked(details.fields, fields.block) });
    super(route.contract, route.event.key, args, blockWith, page, row, addresses);
    const transaction = details.transactions.get(page.transactionIndex[row] as number);
    this.#transactionFields = picked(transaction?.fields ?? {}, fields.transaction);
  }

  override get transaction(): EventTransaction & Partial<TransactionFields> {
    return { ...super.transaction, ...this.#transactionFields };
  }
}

function picked<Fields extends object>(fields: Fields, names: readonly (keyof Fields)[]): Partial<Fields> {
  const some: Partial<Fields> = {};
  for (const name of names) some[name] = fields[name];
  return some;
}
