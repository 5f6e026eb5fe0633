import { hexRun, isHex } from "./hex-bytes.ts";

export const QUOTE = 0x22;
export const COLON = 0x3a;
export const COMMA = 0x2c;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
export const OPEN_LIST = 0x5b;
export const CLOSE_LIST = 0x5d;
const BACKSLASH = 0x5c;

/** Digits of a number that a double holds exactly. */
const MOST_DIGITS = 13;
/** Values within values that nobody asked for. */
const MOST_LEVELS = 8;

/** The bytes of a key, up to the quote that ends it. */
export function keyBytes(key: string): Buffer {
  return Buffer.from(`${key}"`, "latin1");
}

/**
 * A cursor over the bytes of JSON, for readers that know what they look for. Each method goes past what it names and
 * says whether it stood there; white space before it is passed over. Texts with escapes are not understood: whoever
 * gets false leaves the answer to `JSON.parse`, also when it has gone past some of it.
 */
export class JsonScanner {
  protected readonly body: Buffer;
  protected readonly view: DataView;
  protected at = 0;

  constructor(body: Buffer) {
    this.body = body;
    this.view = new DataView(body.buffer, body.byteOffset, body.length);
  }

  /** Nothing but white space is left. */
  protected end(): boolean {
    this.blanks();
    return this.at === this.body.length;
  }

  /** One byte. */
  protected token(byte: number): boolean {
    if (this.body[this.at] !== byte) {
      this.blanks();
      if (this.body[this.at] !== byte) return false;
    }
    this.at++;
    return true;
  }

  /** These very bytes, right here. */
  protected literal(bytes: Buffer): boolean {
    for (let i = 0; i < bytes.length; i++) if (this.body[this.at + i] !== bytes[i]) return false;
    this.at += bytes.length;
    return true;
  }

  protected word(word: string): boolean {
    this.blanks();
    for (let i = 0; i < word.length; i++) if (this.body[this.at + i] !== word.charCodeAt(i)) return false;
    this.at += word.length;
    return true;
  }

  /** The rest of a text, after its first quote. */
  protected text(): boolean {
    // Most are hexadecimal, and long ones are.
    this.at = hexRun(this.view, this.at);
    for (;;) {
      const byte = this.body[this.at++];
      if (byte === QUOTE) return true;
      if (byte === undefined || byte < 0x20 || byte === BACKSLASH) return false;
    }
  }

  /** The beginning of a hexadecimal text: a quote and `0x`. */
  protected opensHex(): boolean {
    if (!this.token(QUOTE)) return false;
    const isHexText = this.body[this.at] === 0x30 && this.body[this.at + 1] === 0x78;
    this.at += 2;
    return isHexText;
  }

  /** A hexadecimal text of so many digits. @returns where the first digit stands, or -1 */
  protected hex(digits: number): number {
    if (!this.opensHex()) return -1;
    const start = this.at;
    if (!isHex(this.view, start, digits)) return -1;
    this.at += digits;
    return this.body[this.at++] === QUOTE ? start : -1;
  }

  /** A hexadecimal text with a number in it. @returns -1 when it is none that a double holds exactly */
  protected quantity(): number {
    if (!this.opensHex()) return -1;
    const { body } = this;
    const start = this.at;
    let number = 0;
    for (;;) {
      const byte = body[this.at++] as number;
      if (byte === QUOTE) break;
      const digit = isDigit(byte) ? byte - 0x30 : letterOf(byte);
      if (digit < 0) return -1;
      number = number * 16 + digit;
    }
    const digits = this.at - 1 - start;
    return digits === 0 || digits > MOST_DIGITS ? -1 : number;
  }

  /** A whole number. @returns -1 when there is none */
  protected wholeNumber(): number {
    this.blanks();
    const start = this.at;
    let number = 0;
    for (; isDigit(this.body[this.at]); this.at++) number = number * 10 + (this.body[this.at] as number) - 0x30;
    const digits = this.at - start;
    const isNumber = digits === 1 || (digits > 1 && digits < 16 && this.body[start] !== 0x30);
    return isNumber && endsNumber(this.body[this.at]) ? number : -1;
  }

  /** Any value. */
  protected value(levels: number = MOST_LEVELS): boolean {
    if (this.token(QUOTE)) return this.text();
    if (this.token(OPEN_LIST)) return levels > 0 && (this.token(CLOSE_LIST) || this.#items(levels - 1));
    if (this.token(OPEN_OBJECT)) return levels > 0 && (this.token(CLOSE_OBJECT) || this.#members(levels - 1));
    return this.word("null") || this.word("true") || this.word("false") || this.wholeNumber() >= 0;
  }

  #items(levels: number): boolean {
    do if (!this.value(levels)) return false;
    while (this.token(COMMA));
    return this.token(CLOSE_LIST);
  }

  #members(levels: number): boolean {
    do if (!this.token(QUOTE) || !this.text() || !this.token(COLON) || !this.value(levels)) return false;
    while (this.token(COMMA));
    return this.token(CLOSE_OBJECT);
  }

  protected blanks(): void {
    while (isBlank(this.body[this.at])) this.at++;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function letterOf(byte: number): number {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Not a fraction or an exponent. */
function endsNumber(byte: number | undefined): boolean {
  return byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST || isBlank(byte);
}
