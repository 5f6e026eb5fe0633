import pg from "pg";
import { describe, expect, test } from "vitest";
import { describeError, writeFailureOf } from "../../../src/postgres/failure.ts";
import { WriteFailure } from "../../../src/write/storage.ts";

const fromServer = (code: string): Error => Object.assign(new pg.DatabaseError("no", 2, "error"), { code });
const fromNode = (code: string): Error => Object.assign(new Error("no"), { code });
const kindOf = (error: unknown, commitSent: boolean): string =>
  writeFailureOf(error, { summary: "COPY account", table: "account", commitSent }).kind;

describe("a failed write", () => {
  test.each([
    ...["08006", "08P01", "57P01", "57P02", "57P03", "53100", "53300", "40001", "40P01", "55P03", "57014", "25006"].map(
      fromServer,
    ),
    ...["ECONNRESET", "ETIMEDOUT", "ENOTFOUND", "ECONNREFUSED", "EPIPE"].map(fromNode),
    new Error("Connection terminated unexpectedly"),
    new Error("Client has encountered a connection error and is not queryable"),
    new AggregateError([fromNode("ECONNREFUSED"), fromNode("ECONNREFUSED")]),
  ])("may be tried again before COMMIT was sent: $code$message", (error) => {
    expect(kindOf(error, false)).toBe("transient");
  });

  test.each([
    ...["23505", "22003", "42P01", "42703", "28P01", "3D000", "XX000"].map(fromServer),
    new TypeError("x is not a function"),
  ])("is fatal when no retry can help: $code$message", (error) => {
    expect(kindOf(error, false)).toBe("fatal");
  });

  test.each([
    ...["08006", "57P01", "40003", "XX000", "53100"].map(fromServer),
    fromNode("ECONNRESET"),
    new Error("Connection terminated"),
  ])("has an unknown outcome once COMMIT was sent: $code$message", (error) => {
    expect(kindOf(error, true)).toBe("outcome_unknown");
  });

  test.each([
    ["23505", "fatal"],
    ["40001", "transient"],
  ])("whose COMMIT the server refused with %s is %s", (code, kind) => {
    expect(kindOf(fromServer(code), true)).toBe(kind);
  });

  test("names statement, table and SQLSTATE", () => {
    const cause = Object.assign(fromServer("23505"), {
      detail: "Key (id)=(1) already exists.",
      where: "COPY account, line 2\nmore",
    });
    const failure = writeFailureOf(cause, { summary: "COPY account", table: "account", commitSent: false });
    expect({ ...failure, message: failure.message }).toEqual({
      name: "WriteFailure",
      kind: "fatal",
      statement: "COPY account",
      table: "account",
      sqlState: "23505",
      message: "COPY account failed: no (SQLSTATE 23505); Key (id)=(1) already exists.; COPY account, line 2",
    });
    expect(failure.cause).toBe(cause);
  });

  test("that has been classified stays as it is", () => {
    const failure = new WriteFailure("fenced", "taken");
    expect(writeFailureOf(failure, { summary: "COMMIT", table: undefined, commitSent: true })).toBe(failure);
  });

  test("of several addresses names each", () => {
    expect(describeError(new AggregateError([new Error("a"), new Error("b")], ""))).toBe("a; b");
  });
});
