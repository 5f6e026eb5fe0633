import type { ColumnKind, ColumnModel } from "../store/table.ts";
import { type AnyColumn, COLUMN, type ColumnSpec, isColumn } from "./column.ts";
import { defaultValueOf } from "./default-value.ts";
import { type EntitySpec, isEntity } from "./entity.ts";
import { type Problems, show } from "./problems.ts";
import { NAME, refuseReservedName, sqlNameOf } from "./sql-name.ts";

/** Entity object → its name and declaration. */
export type KnownEntities = ReadonlyMap<unknown, { readonly name: string; readonly spec: EntitySpec }>;

const MAX_COLUMN_NAME = 63;
/** PostgreSQL's bound for numeric. */
const MAX_PRECISION = 1_000;

/** Checks a column and gives its model. Problems are added to `problems`. */
export function columnModelOf(
  place: string,
  name: string,
  spec: ColumnSpec,
  known: KnownEntities,
  problems: Problems,
): ColumnModel {
  const sqlName = sqlNameOf(name);
  if (!NAME.test(name) || sqlName.length > MAX_COLUMN_NAME) {
    const fix = `Use a letter, then letters, digits and underscores; at most ${MAX_COLUMN_NAME}.`;
    problems.add("SCHEMA_INVALID", place, "is no usable name of a column", fix);
  }
  refuseReservedName(place, name, sqlName, problems);
  if (spec.kind === "numeric") checkNumeric(place, spec, problems);
  if (spec.kind === "enum") checkEnum(place, spec, problems);
  const target = spec.kind === "ref" ? targetOf(place, spec, known, problems) : undefined;
  const model: ColumnModel = {
    name,
    sqlName,
    kind: target?.kind ?? (spec.kind === "ref" ? "text" : spec.kind),
    nullable: spec.nullable,
    array: spec.array,
    defaultValue: undefined,
    ...(spec.precision === undefined ? {} : { precision: spec.precision }),
    ...(spec.scale === undefined ? {} : { scale: spec.scale }),
    ...(spec.values === undefined ? {} : { values: spec.values }),
    ...(target === undefined ? {} : { references: target.entity }),
  };
  return spec.defaultValue === undefined
    ? model
    : { ...model, defaultValue: defaultValueOf(place, model, spec.defaultValue, problems) };
}

function checkNumeric(place: string, spec: ColumnSpec, problems: Problems): void {
  const { precision = Number.NaN, scale = Number.NaN } = spec;
  const fits = Number.isInteger(precision) && precision >= 1 && precision <= MAX_PRECISION;
  if (fits && Number.isInteger(scale) && scale >= 0 && scale <= precision) return;
  const fix = `Give the digits in all (1 to ${MAX_PRECISION}), and those after the point: t.numeric(38, 18).`;
  problems.add("SCHEMA_INVALID", place, `numeric(${precision}, ${scale}) is no number format`, fix);
}

function checkEnum(place: string, spec: ColumnSpec, problems: Problems): void {
  const values: unknown = spec.values;
  const fix = 'Give the texts that it may hold: t.enum(["open", "closed"]).';
  if (!Array.isArray(values) || values.length === 0)
    problems.add("SCHEMA_INVALID", place, "is an enum without values", fix);
  else if (values.some((value) => typeof value !== "string" || value === "")) {
    problems.add("SCHEMA_INVALID", place, `${show(values)} are no texts`, fix);
  } else if (new Set(values).size !== values.length) {
    problems.add("SCHEMA_INVALID", place, `${show(values)} has a value twice`, "Give each value once.");
  }
}

interface Target {
  readonly entity: string;
  readonly kind: ColumnKind;
}

/** The entity that a ref names, and the kind of its key; refs to keys that are refs are followed. */
function targetOf(place: string, spec: ColumnSpec, known: KnownEntities, problems: Problems): Target | undefined {
  const target: unknown = spec.target?.();
  const entity = known.get(target);
  if (entity === undefined) {
    const message = isEntity(target)
      ? "refers to an entity that is not in the schema"
      : `refers to ${show(target)}, which is no entity`;
    problems.add(
      "SCHEMA_INVALID",
      place,
      message,
      "Export the entity from the schema, and name it: t.ref(() => account).",
    );
    return undefined;
  }
  const kind = keyKindOf(entity.spec, known, 0);
  if (kind === undefined) {
    const fix = "Refer to an entity whose key is one column, or declare plain columns for the parts of its key.";
    problems.add("SCHEMA_INVALID", place, `refers to ${entity.name}, whose key is not one plain column`, fix);
    return undefined;
  }
  return { entity: entity.name, kind };
}

function keyKindOf(spec: EntitySpec, known: KnownEntities, depth: number): ColumnKind | undefined {
  const column: AnyColumn | unknown = spec.key.length === 1 ? spec.columns[spec.key[0] as string] : undefined;
  if (!isColumn(column)) return undefined;
  const { kind, target } = column[COLUMN];
  if (kind !== "ref") return kind;
  const next = known.get(target?.());
  // Keys that refer to each other in a ring have no kind.
  return next === undefined || depth >= known.size ? undefined : keyKindOf(next.spec, known, depth + 1);
}
