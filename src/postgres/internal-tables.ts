import type { EffectCodec } from "../store/effect-table.ts";
import type { ColumnModel, TableModel } from "../store/table.ts";
import type { RawEventCodec } from "../write/raw-events.ts";
import { createRowCodec } from "./copy-codec.ts";

/** Outputs of effects, shared among chains: `chain_id` says where a call was made. */
export const EFFECTS: TableModel = tableOf("effects", ["effect", "input_hash"], {
  crossChain: true,
  columns: [
    ["effect", "text"],
    ["input_hash", "hash"],
    ["output_type", "text"],
    ["input", "json"],
    ["output", "json"],
    ["chain_id", "int64"],
  ],
});

/** Every handled event, of the chain in `chain_id`. */
export const RAW_EVENTS: TableModel = tableOf("raw_events", ["block", "log_index"], {
  appendOnly: true,
  columns: [
    ["block", "int64"],
    ["log_index", "int32"],
    ["transaction_hash", "hash"],
    ["address", "address"],
    ["contract", "text"],
    ["event", "text"],
    ["args", "json"],
    ["timestamp", "timestamp"],
  ],
});

export function createEffectCodec(): EffectCodec {
  const codec = createRowCodec(EFFECTS);
  return {
    encodeEffect: (out, { effect, inputHash, outputType, input, output, chainId, checkpoint }) =>
      codec.encodeRow(out, chainId, checkpoint, {
        effect,
        input_hash: inputHash,
        output_type: outputType,
        input,
        output,
        chain_id: BigInt(chainId),
      }),
  };
}

export function createRawEventCodec(): RawEventCodec {
  const codec = createRowCodec(RAW_EVENTS);
  return {
    encodeRawEvent: (out, { chainId, checkpoint, block, logIndex, transactionHash, ...same }) =>
      codec.encodeRow(out, chainId, checkpoint, {
        ...same,
        block: BigInt(block),
        log_index: logIndex,
        transaction_hash: transactionHash,
      }),
  };
}

function tableOf(
  name: string,
  key: readonly string[],
  {
    columns,
    appendOnly = false,
    crossChain = false,
  }: {
    readonly columns: readonly (readonly [name: string, kind: ColumnModel["kind"]])[];
    readonly appendOnly?: boolean;
    readonly crossChain?: boolean;
  },
): TableModel {
  return {
    name,
    sqlName: name,
    columns: columns.map(([column, kind]) => ({
      name: column,
      sqlName: column,
      kind,
      nullable: false,
      array: false,
      defaultValue: undefined,
    })),
    key,
    appendOnly,
    crossChain,
    indexes: [],
    hidden: true,
  };
}
