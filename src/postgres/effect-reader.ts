import type { EffectKey, EffectReader, StoredEffect } from "../store/effect-table.ts";
import { qualified, type SchemaNames } from "./ddl.ts";
import type { PostgresRowReader } from "./row-reader.ts";

/** Reads outputs of effects that earlier runs of the process have stored. */
export class PostgresEffectReader implements EffectReader {
  readonly #reader: PostgresRowReader;
  readonly #text: string;

  /** @param reader its connections are used, and its patience */
  constructor(names: SchemaNames, reader: PostgresRowReader) {
    this.#reader = reader;
    this.#text = `select e.effect, e.input_hash, e.output
      from unnest($1::text[], $2::text[], $3::text[]) as k (effect, input_hash, output_type)
      join ${qualified(names.internal, "effects")} e
        on e.effect = k.effect and e.input_hash = k.input_hash and e.output_type = k.output_type`;
  }

  async effectsByKey(keys: readonly EffectKey[]): Promise<readonly StoredEffect[]> {
    const rows = await this.#reader.query("effects", this.#text, [
      keys.map(({ effect }) => effect),
      keys.map(({ inputHash }) => inputHash),
      keys.map(({ outputType }) => outputType),
    ]);
    return rows.map(([effect, inputHash, output]) => ({
      effect: effect as string,
      inputHash: inputHash as string,
      output: JSON.parse(output ?? "null") as unknown,
    }));
  }
}
