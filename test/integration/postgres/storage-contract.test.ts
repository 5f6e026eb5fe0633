import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDatabaseAt, createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { noPostgres15, startPostgres15 } from "../../support/postgres-15.ts";
import { openPostgresStorage } from "../../support/postgres-under-test.ts";
import { testStorageContract } from "../../support/storage-contract.ts";

describe("PostgreSQL as the tests use it", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  testStorageContract((chains) => openPostgresStorage(database, chains));
});

describe.skipIf(noPostgres15 !== undefined)(
  `PostgreSQL 15${noPostgres15 === undefined ? "" : ` (${noPostgres15})`}`,
  () => {
    let database: TestDatabase;
    let stop: () => Promise<void>;
    beforeAll(async () => {
      const server = await startPostgres15();
      stop = server.stop;
      database = await createDatabaseAt(server.url);
    });
    afterAll(async () => {
      await database?.drop();
      await stop?.();
    });

    test("is the version that it says", async () => {
      const [row] = await database.query("select current_setting('server_version_num')::int / 10000 as major");
      expect(row).toEqual({ major: 15 });
    });

    testStorageContract((chains) => openPostgresStorage(database, chains));
  },
);
