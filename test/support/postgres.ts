import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";

/** A database of a test file's own. */
export interface TestDatabase {
  readonly url: string;
  /** Runs SQL beside the code under test; rows as `pg` gives them. */
  query<R extends pg.QueryResultRow = Record<string, unknown>>(text: string, values?: unknown[]): Promise<R[]>;
  /** Ends the connection and drops the database, whoever is still connected to it. */
  drop(): Promise<void>;
}

/** Makes a fresh, empty database on the server that the run's global setup has chosen. */
export function createTestDatabase(): Promise<TestDatabase> {
  return createDatabaseAt(inject("databaseUrl"));
}

/** Makes a fresh, empty database on a server. */
export async function createDatabaseAt(serverUrl: string): Promise<TestDatabase> {
  const name = `spindex_test_${randomBytes(6).toString("hex")}`;
  await once(serverUrl, `create database ${name} template template0 encoding 'UTF8'`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: url.href });
  // `drop` cuts connections off that a test has left.
  client.on("error", () => {});
  await client.connect();
  // Tests that run at once share it: one query after the other.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    url: url.href,
    async query<R extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<R[]> {
      const result = turn.then(() => client.query<R>(text, values));
      turn = result.catch(() => {});
      return (await result).rows;
    },
    async drop() {
      await client.end();
      await once(serverUrl, `drop database ${name} with (force)`);
    },
  };
}

async function once(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
