import { describe, expect, test } from "vitest";
import { SpindexError } from "../../../src/errors.ts";
import { parseDatabaseUrl } from "../../../src/postgres/database-url.ts";

describe("a database URL", () => {
  test.each([
    ["postgresql://user:pw@db.example:6543/app", "app", "db.example:6543/app"],
    ["postgres://localhost/app?sslmode=require", "app", "localhost:5432/app"],
    ["postgresql://u@localhost/my%20app?host=/var/run/postgresql", "my app", "/var/run/postgresql/my app"],
    ["postgresql:///app?host=%2Ftmp%2Fx", "app", "/tmp/x/app"],
    ["postgresql://[::1]:5433/app", "app", "[::1]:5433/app"],
  ])("is accepted: %s", (text, database, label) => {
    expect(parseDatabaseUrl(text)).toEqual({ href: text, database, label });
  });

  test.each([
    ["", "DATABASE_URL is empty"],
    ["localhost", "DATABASE_URL has no scheme"],
    ["u:secret@h/db", "DATABASE_URL has no scheme"],
    ["mysql://u:secret@h/db", 'DATABASE_URL begins with "mysql:"'],
    ["postgresql:u:secret@h/db", 'DATABASE_URL lacks "//" after "postgresql:"'],
    ["postgresql://u:secret@h", "DATABASE_URL names no database"],
    ["postgresql://u:secret@h/", "DATABASE_URL names no database"],
    ["postgresql://u:secret@h/a/b", "DATABASE_URL has more than one part after the host"],
    ["postgresql://u:secret@h:99999/db", "DATABASE_URL cannot be parsed; a host, port or password in it is malformed"],
    ["postgresql://u:sec#ret@h/db", "DATABASE_URL cannot be parsed; a host, port or password in it is malformed"],
    ["postgresql://u:secret%@h/db", 'DATABASE_URL has a "%" in the password that begins no escape; write it %25'],
    ["postgresql://u:secret@a,b/db", "DATABASE_URL names several hosts; give one"],
    [
      "postgresql://u:secret@h/db?sslmode=maybe",
      'DATABASE_URL has sslmode "maybe"; known are disable, prefer, require, verify-ca, verify-full, no-verify',
    ],
  ])("is refused without showing its password: %s", (text, message) => {
    let error: unknown;
    try {
      parseDatabaseUrl(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SpindexError);
    expect([(error as SpindexError).code, (error as SpindexError).message]).toEqual(["DATABASE_URL_INVALID", message]);
    expect(JSON.stringify(error) + (error as SpindexError).fix).not.toMatch(/secret/);
  });
});
