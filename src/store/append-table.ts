import { type ByteMark, ByteWriter, type EncodedRows } from "../lib/byte-writer.ts";
import type { ChangeScope } from "./change-scope.ts";
import type { Journal } from "./journal.ts";
import { createRowShape, type RowShape } from "./row-shape.ts";
import type { Row, RowCodec, TableModel } from "./table.ts";

/**
 * An append-only entity: a row is encoded when it is inserted and never seen again, so it costs its bytes and nothing
 * else. Marks separate what is committed, what the current block and what the current event has added.
 */
export class AppendTable {
  readonly model: TableModel;
  readonly #shape: RowShape;
  readonly #codec: RowCodec;
  readonly #writer = new ByteWriter();
  readonly #journal: Journal;
  /** For each row in the writer, the event that inserted it. */
  #events: number[] = [];
  #committed: ByteMark;
  #blockMark: ByteMark;
  #eventMark: ByteMark;
  #markedBlock = 0;
  #markedEvent = 0;

  constructor(model: TableModel, codec: RowCodec, journal: Journal) {
    this.model = model;
    this.#shape = createRowShape(model);
    this.#codec = codec;
    this.#journal = journal;
    journal.follow(this);
    this.#committed = this.#writer.mark();
    this.#blockMark = this.#committed;
    this.#eventMark = this.#committed;
  }

  /** Rows and bytes that are not in a sealed run yet, those of the batch in progress included. */
  get rows(): number {
    return this.#writer.rows;
  }

  get bytes(): number {
    return this.#writer.bytes;
  }

  /** Texts of its rows that were escaped since the last call. */
  takeEscapes(): number {
    return this.#shape.takeEscapes();
  }

  /** @throws SpindexError ROW_INVALID */
  insert({ chainId, checkpoint, event }: ChangeScope, input: Row): void {
    const row = this.#shape.row(input);
    this.#mark();
    this.#codec.encodeRow(this.#writer, chainId, checkpoint, row);
    this.#events.push(event);
  }

  undoEvent(): void {
    if (this.#markedEvent === this.#journal.event) this.#undoTo(this.#eventMark);
  }

  undoBlock(): void {
    if (this.#markedBlock === this.#journal.block) this.#undoTo(this.#blockMark);
  }

  /** What was inserted up to now belongs to committed batches. Returns how many rows are new among it. */
  commit(): number {
    const before = this.#committed.rows;
    this.#committed = this.#writer.mark();
    return this.#committed.rows - before;
  }

  /** Takes the rows of committed batches; those of the batch in progress stay. */
  takeCommitted(): { readonly inserts: EncodedRows; readonly events: readonly number[] } {
    const inserts = this.#writer.takeTo(this.#committed);
    const events = this.#events.slice(0, inserts.rows);
    this.#events = this.#events.slice(inserts.rows);
    return { inserts, events };
  }

  #undoTo(mark: ByteMark): void {
    this.#writer.undoTo(mark);
    this.#events.length = this.#writer.rows;
  }

  #mark(): void {
    const { event, block } = this.#journal;
    if (this.#markedEvent === event) return;
    this.#eventMark = this.#writer.mark();
    this.#markedEvent = event;
    if (this.#markedBlock === block) return;
    this.#blockMark = this.#eventMark;
    this.#markedBlock = block;
  }
}
