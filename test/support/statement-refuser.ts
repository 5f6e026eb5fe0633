import type { InjectedError } from "./fault-proxy.ts";

/** What becomes of bytes that a client sent. */
interface Taken {
  readonly forwarded: Buffer;
  /** What the client gets instead of the server's answer. */
  readonly answer: Buffer;
}

const NOTHING = Buffer.alloc(0);

/**
 * Reads what a client of PostgreSQL sends, message by message, and answers some of its statements with an error in place
 * of the server. For the server such a statement was never sent, and its transaction goes on.
 */
export class StatementRefuser {
  readonly #errorFor: (statement: string) => InjectedError | undefined;
  #rest: Buffer = NOTHING;
  #hasStarted = false;
  /** The rest of a statement in several messages is left out, until its end. */
  #refused: InjectedError | undefined;

  constructor(errorFor: (statement: string) => InjectedError | undefined) {
    this.#errorFor = errorFor;
  }

  take(data: Buffer): Taken {
    const forwarded: Buffer[] = [];
    const answer: Buffer[] = [];
    let bytes = Buffer.concat([this.#rest, data]);
    for (;;) {
      // The first message has no type, only its length.
      const header = this.#hasStarted ? 5 : 4;
      if (bytes.length < header) break;
      const size = bytes.readUInt32BE(header - 4) + header - 4;
      if (bytes.length < size) break;
      const message = bytes.subarray(0, size);
      bytes = bytes.subarray(size);
      if (this.#hasStarted) this.#message(message, forwarded, answer);
      else {
        this.#hasStarted = true;
        forwarded.push(message);
      }
    }
    this.#rest = bytes;
    return { forwarded: Buffer.concat(forwarded), answer: Buffer.concat(answer) };
  }

  #message(message: Buffer, forwarded: Buffer[], answer: Buffer[]): void {
    const type = String.fromCharCode(message[0] as number);
    const isStatement = type === "Q" || type === "P";
    if (isStatement && this.#refused === undefined) this.#refused = this.#errorFor(message.toString("utf8", 5));
    if (this.#refused === undefined) {
      forwarded.push(message);
      return;
    }
    // Simple query, or the end of an extended one.
    if (type === "Q" || type === "S") {
      answer.push(errorResponse(this.#refused), READY_IN_FAILED_TRANSACTION);
      this.#refused = undefined;
    }
  }
}

const READY_IN_FAILED_TRANSACTION = framed("Z", Buffer.from("E"));

function errorResponse({ sqlState, message }: InjectedError): Buffer {
  const fields = { S: "ERROR", V: "ERROR", C: sqlState, M: message };
  const text = Object.entries(fields).map(([type, value]) => `${type}${value}\0`);
  return framed("E", Buffer.from(`${text.join("")}\0`));
}

function framed(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}
