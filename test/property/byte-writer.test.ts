import fc from "fast-check";
import { expect, test } from "vitest";
import { type ByteMark, ByteWriter, type EncodedRows } from "../../src/lib/byte-writer.ts";

/** Rows of these sizes fall into chunks in all ways: many in one, one at its end, one larger than it. */
const size = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 40 }) },
  fc.constantFrom(60_000, 100_000, 262_143, 262_144, 262_145, 400_000),
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("row" as const), pieces: fc.array(size, { maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("mark" as const) }) },
  fc.record({ do: fc.constantFrom("undo" as const, "take" as const), mark: fc.nat({ max: 1000 }) }),
);

/** The plain version: a list of all rows, of which the first ones have been taken. */
class Model {
  readonly rows: Buffer[] = [];
  taken = 0;
  /** Marks that may still be used, with the number of rows before them. */
  marks: { readonly mark: ByteMark; readonly rows: number }[] = [];
}

let filler = 0;

function writeRow(writer: ByteWriter, pieces: readonly number[]): Buffer {
  const written = pieces.map((bytes) => {
    writer.reserve(bytes + 5);
    const piece = Buffer.alloc(bytes, ++filler % 251);
    writer.buffer.set(piece, writer.at);
    writer.at += bytes;
    return piece;
  });
  writer.endRow();
  return Buffer.concat(written);
}

function expectTaken(taken: EncodedRows, rows: readonly Buffer[]): void {
  const expected = Buffer.concat(rows);
  expect(taken.rows).toBe(rows.length);
  expect(taken.bytes).toBe(expected.length);
  // Compared at once: element by element, megabytes take the test's time.
  expect(Buffer.concat(taken.chunks).equals(expected)).toBe(true);
}

test("a byte writer holds, undoes and gives out what a plain list of rows does", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const writer = new ByteWriter();
      const model = new Model();
      const given: { readonly taken: EncodedRows; readonly rows: readonly Buffer[] }[] = [];
      for (const action of steps) {
        if (action.do === "row") {
          model.rows.push(writeRow(writer, action.pieces));
        } else if (action.do === "mark") {
          model.marks.push({ mark: writer.mark(), rows: model.rows.length });
        } else if (model.marks.length > 0) {
          const { mark, rows } = model.marks[action.mark % model.marks.length] as Model["marks"][number];
          if (action.do === "undo") {
            writer.undoTo(mark);
            model.rows.length = rows;
            model.marks = model.marks.filter((other) => other.rows <= rows);
          } else {
            given.push({ taken: writer.takeTo(mark), rows: model.rows.slice(model.taken, rows) });
            model.taken = rows;
            model.marks = model.marks.filter((other) => other.rows >= rows);
          }
        }
        const held = model.rows.slice(model.taken);
        expect(writer.rows).toBe(held.length);
        expect(writer.bytes).toBe(held.reduce((sum, row) => sum + row.length, 0));
      }
      given.push({ taken: writer.take(), rows: model.rows.slice(model.taken) });
      // Last of all: what was given out must not have been changed by what was written later.
      for (const { taken, rows } of given) expectTaken(taken, rows);
    }),
    { numRuns: 400 },
  );
});
