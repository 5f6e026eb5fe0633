import { SpindexError } from "../errors.ts";
import type { ColumnKind } from "../store/table.ts";

/** What a column was declared as: read when the definition is resolved. */
export interface ColumnSpec {
  /** `ref`: the kind of the target's key. */
  readonly kind: ColumnKind | "ref";
  readonly nullable: boolean;
  readonly array: boolean;
  readonly indexed: boolean;
  /** Undefined: none. */
  readonly defaultValue: unknown;
  readonly precision?: number;
  readonly scale?: number;
  readonly values?: readonly string[];
  /** For `ref`: the entity, behind a function since entities may refer to each other. */
  readonly target?: () => unknown;
}

// Registered symbols: a project may load a second copy of this package, and its columns must still be known.
export const COLUMN: unique symbol = Symbol.for("spindex.column");
export const MANY: unique symbol = Symbol.for("spindex.many");
/** Carries types only; no object has it. */
declare const TYPES: unique symbol;

/**
 * A column of an entity. `Value` is what a row holds, `HasDefault` whether an insert may leave it out, `CanBeKey`
 * whether it may be part of the key.
 */
export interface Column<Value, HasDefault extends boolean = boolean, CanBeKey extends boolean = boolean> {
  readonly [COLUMN]: ColumnSpec;
  readonly [TYPES]?: { readonly value: Value; readonly hasDefault: HasDefault; readonly canBeKey: CanBeKey };
  /** Allows null. Rows must still be given the column, unless it has a default. */
  nullable(): Column<Value | null, HasDefault, false>;
  /** The value of rows that are inserted without this column. */
  default(value: Value): Column<Value, true, CanBeKey>;
  /** Adds an index over this column alone. */
  index(): Column<Value, HasDefault, CanBeKey>;
}

/** A column as `t.*` makes it: only here may it become an array. */
export interface ScalarColumn<Value, CanBeKey extends boolean = boolean> extends Column<Value, false, CanBeKey> {
  /** A list of such values. Comes before `.nullable()`, `.default()` and `.index()`. */
  array(): Column<readonly Value[], false, false>;
}

/** The rows of another entity that refer to this one: a relation for reading, without a column. */
export interface Many {
  readonly [MANY]: { readonly target: () => unknown; readonly column: string };
}

/** Any column, whatever it holds. */
export interface AnyColumn {
  readonly [COLUMN]: ColumnSpec;
}

class ColumnBuilder<Value, HasDefault extends boolean, CanBeKey extends boolean>
  implements Column<Value, HasDefault, CanBeKey>
{
  readonly [COLUMN]: ColumnSpec;

  constructor(spec: ColumnSpec) {
    this[COLUMN] = Object.freeze(spec);
    Object.freeze(this);
  }

  nullable(): Column<Value | null, HasDefault, false> {
    return new ColumnBuilder({ ...this[COLUMN], nullable: true });
  }

  default(value: Value): Column<Value, true, CanBeKey> {
    if (value === undefined) {
      throw new SpindexError("SCHEMA_INVALID", `a ${this[COLUMN].kind} column was given undefined as its default`, {
        fix: "Give the value, or leave .default() out.",
      });
    }
    return new ColumnBuilder({ ...this[COLUMN], defaultValue: value });
  }

  index(): Column<Value, HasDefault, CanBeKey> {
    return new ColumnBuilder({ ...this[COLUMN], indexed: true });
  }

  array(): Column<readonly Value[], false, false> {
    const spec = this[COLUMN];
    if (spec.array || spec.nullable || spec.defaultValue !== undefined) {
      throw new SpindexError("SCHEMA_INVALID", `.array() of a ${spec.kind} column comes too late`, {
        fix: "Call .array() once, before .nullable() and .default(): t.text().array().nullable().",
      });
    }
    return new ColumnBuilder({ ...spec, array: true });
  }
}

/** Makes a column of a kind; the type parameters are promised by the caller. */
export function columnOf<Value, CanBeKey extends boolean>(
  kind: ColumnSpec["kind"],
  details: Pick<ColumnSpec, "precision" | "scale" | "values" | "target"> = {},
): ScalarColumn<Value, CanBeKey> {
  const spec = { kind, nullable: false, array: false, indexed: false, defaultValue: undefined, ...details };
  return new ColumnBuilder<Value, false, CanBeKey>(spec);
}

export function isColumn(value: unknown): value is AnyColumn {
  return typeof value === "object" && value !== null && COLUMN in value;
}

export function isMany(value: unknown): value is Many {
  return typeof value === "object" && value !== null && MANY in value;
}
