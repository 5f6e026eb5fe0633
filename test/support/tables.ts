import type { ColumnModel, TableModel } from "../../src/store/table.ts";

type ColumnInput = Pick<ColumnModel, "name" | "kind"> & Partial<ColumnModel>;

/** A column with the plain values of everything that is not given. */
export function columnOf(input: ColumnInput): ColumnModel {
  return { sqlName: input.name, nullable: false, array: false, defaultValue: undefined, ...input };
}

/** A table with the plain values of everything that is not given; its key is the first column. */
export function tableOf(
  name: string,
  columns: readonly ColumnInput[],
  rest: Partial<Omit<TableModel, "columns">> = {},
): TableModel {
  return {
    name,
    sqlName: name,
    columns: columns.map(columnOf),
    key: [columns[0]?.name ?? ""],
    appendOnly: false,
    crossChain: false,
    indexes: [],
    hidden: false,
    ...rest,
  };
}
