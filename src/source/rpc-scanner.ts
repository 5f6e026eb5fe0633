import { CLOSE_OBJECT, COLON, COMMA, JsonScanner, keyBytes, OPEN_OBJECT, QUOTE } from "./json-scanner.ts";

const RESULT = keyBytes("result");
const ID = keyBytes("id");
const VERSION = keyBytes("jsonrpc");

/** Reads answers of JSON-RPC that are results; errors are left to parsing. */
export abstract class RpcScanner extends JsonScanner {
  /** Reads the result of the call. */
  protected abstract result(): boolean;

  /** `{"jsonrpc": "2.0", "id": 1, "result": …}`, in any order, and nothing else. @returns the id, or -1 */
  protected envelope(): number {
    let id = -1;
    let hasResult = false;
    if (!this.token(OPEN_OBJECT)) return -1;
    do {
      if (!this.token(QUOTE)) return -1;
      if (!hasResult && this.literal(RESULT)) {
        hasResult = true;
        if (!this.token(COLON) || !this.result()) return -1;
      } else if (id < 0 && this.literal(ID)) {
        if (!this.token(COLON)) return -1;
        id = this.wholeNumber();
        if (id < 0) return -1;
      } else if (!this.literal(VERSION) || !this.token(COLON) || !this.token(QUOTE) || !this.text()) return -1;
    } while (this.token(COMMA));
    return hasResult && this.token(CLOSE_OBJECT) ? id : -1;
  }
}
