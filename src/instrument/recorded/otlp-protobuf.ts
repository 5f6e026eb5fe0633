import type { OtlpRequest } from "./otlp-json.ts";

/** How a field's bytes are read, or the message that they are. */
type FieldType = "text" | "hex" | "int" | "flag" | "double" | "nanoseconds" | (() => Fields);

/** The fields of a message by their numbers: name, type, and whether it is a list. */
type Fields = Readonly<Record<number, readonly [name: string, type: FieldType, list?: "list"]>>;

/** As far as spans need them; from opentelemetry-proto (trace/v1/trace.proto, common/v1/common.proto). */
const VALUE: Fields = {
  1: ["stringValue", "text"],
  2: ["boolValue", "flag"],
  3: ["intValue", "int"],
  4: ["doubleValue", "double"],
  5: ["arrayValue", () => ({ 1: ["values", () => VALUE, "list"] })],
};
const ATTRIBUTE: Fields = { 1: ["key", "text"], 2: ["value", () => VALUE] };
const EVENT: Fields = {
  1: ["timeUnixNano", "nanoseconds"],
  2: ["name", "text"],
  3: ["attributes", () => ATTRIBUTE, "list"],
};
const SPAN: Fields = {
  1: ["traceId", "hex"],
  2: ["spanId", "hex"],
  4: ["parentSpanId", "hex"],
  5: ["name", "text"],
  6: ["kind", "int"],
  7: ["startTimeUnixNano", "nanoseconds"],
  8: ["endTimeUnixNano", "nanoseconds"],
  9: ["attributes", () => ATTRIBUTE, "list"],
  11: ["events", () => EVENT, "list"],
  13: ["links", () => ({ 1: ["traceId", "hex"], 2: ["spanId", "hex"] }), "list"],
  15: ["status", () => ({ 2: ["message", "text"], 3: ["code", "int"] })],
};
const REQUEST: Fields = {
  1: [
    "resourceSpans",
    () => ({
      1: ["resource", () => ({ 1: ["attributes", () => ATTRIBUTE, "list"] })],
      2: ["scopeSpans", () => ({ 2: ["spans", () => SPAN, "list"] }), "list"],
    }),
    "list",
  ],
};

/**
 * Reads the body of an OTLP/HTTP request in protobuf. Fields that spans do not need are passed over.
 * @throws RangeError when it is cut off or no protobuf
 */
export function requestOfProtobuf(bytes: Uint8Array): OtlpRequest {
  return messageOf(new Reader(bytes), REQUEST) as OtlpRequest;
}

type Message = Record<string, unknown>;

function messageOf(reader: Reader, fields: Fields): Message {
  const message: Message = {};
  while (!reader.isAtEnd) {
    const key = Number(reader.varint());
    const raw = reader.value(key & 7);
    const field = fields[key >>> 3];
    if (field === undefined) continue;
    const [name, type, list] = field;
    const value = plainOf(raw, type);
    if (list === undefined) message[name] = value;
    else message[name] = [...((message[name] as unknown[] | undefined) ?? []), value];
  }
  return message;
}

function plainOf(raw: bigint | Buffer, type: FieldType): unknown {
  if (typeof type === "function") return messageOf(new Reader(raw as Buffer), type());
  switch (type) {
    case "text":
      return (raw as Buffer).toString("utf8");
    case "hex":
      return (raw as Buffer).toString("hex");
    case "double":
      return (raw as Buffer).readDoubleLE();
    case "nanoseconds":
      return (raw as Buffer).readBigUInt64LE();
    case "flag":
      return raw !== 0n;
    case "int":
      return Number(BigInt.asIntN(64, raw as bigint));
  }
}

/** The wire format: a key of field number and wire type, then the value. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes.readUInt8(this.#at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  /** A number for a varint, else the value's bytes. */
  value(wireType: number): bigint | Buffer {
    switch (wireType) {
      case 0:
        return this.varint();
      case 1:
        return this.#take(8);
      case 2:
        return this.#take(Number(this.varint()));
      case 5:
        return this.#take(4);
      default:
        throw new RangeError(`not protobuf: wire type ${wireType} at byte ${this.#at}`);
    }
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError(`cut off: ${length} bytes at byte ${this.#at}`);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
