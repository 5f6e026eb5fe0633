import type { ErrorCode } from "../src/errors.ts";

interface ErrorText {
  /** One sentence: what happened. */
  readonly what: string;
  /** What to do about it. */
  readonly fix: string;
}

/** The text of each error in docs/errors.md. The type asks for one for every code. */
export const ERROR_TEXTS: Readonly<Record<ErrorCode, ErrorText>> = {
  CONFIG_NOT_FOUND: {
    what: "There is no configuration file where one was looked for.",
    fix: "Run the command in the project's folder, or name the file.",
  },
  CONFIG_INVALID: {
    what: "The configuration has an unknown key, a missing part or a value that cannot be.",
    fix: "The message names the place and the value; several mistakes are listed at once.",
  },
  CONFIG_NOT_LOADABLE: {
    what: "The configuration, or a file that it imports, threw while it was loaded.",
    fix: "The cause names the file and the line.",
  },
  ENV_INVALID: {
    what: "Environment variables are missing or have values that cannot be.",
    fix: "Set them in the environment or in `.env`; a secret may stand in the file that `NAME_FILE` names.",
  },
  ABI_INVALID: {
    what: "An event's signature or ABI cannot be read, or the same event is named twice.",
    fix: "Correct the signature at the place that the message names.",
  },
  ADDRESS_INVALID: {
    what: "An address is no 20-byte hexadecimal text, or its checksum is wrong.",
    fix: "Copy it again; write it in lower case to leave the checksum out.",
  },
  SCHEMA_INVALID: {
    what: "Two entities share a name, a key or an index names no column, or a column's type cannot be.",
    fix: "Correct the entity that the message names.",
  },
  HANDLER_UNKNOWN_EVENT: {
    what: "A handler was registered for an event that no contract of the configuration has.",
    fix: "The message names the nearest event; an overloaded event is named by its full signature.",
  },
  HANDLER_LATE: {
    what: "A handler was registered after loading had ended.",
    fix: "Register at the top level of a handler file.",
  },
  HANDLER_DUPLICATE: {
    what: "Two handlers were registered for one event.",
    fix: "The message names both places; join them.",
  },
  HANDLERS_MISSING: {
    what: "No handler file was found, or none of them registered a handler.",
    fix: "Check `handlers` in the configuration; its globs are relative to the configuration file.",
  },
  NODE_TOO_OLD: {
    what: "This Node.js cannot run TypeScript as it is.",
    fix: "Use Node.js 24 or newer.",
  },
  DATABASE_URL_INVALID: {
    what: "`DATABASE_URL` is no address of a PostgreSQL database.",
    fix: "Write `postgresql://user:password@host:5432/database`; special characters in the password are percent-encoded.",
  },
  DATABASE_REFUSED: {
    what: "PostgreSQL refused the user, the password, or has no such database.",
    fix: "Correct the address, create the database, or grant the rights that the message names.",
  },
  DATABASE_UNREACHABLE: {
    what: "PostgreSQL could not be reached within the time that is allowed at start.",
    fix: "Start it, or correct host and port. A supervisor may simply try again.",
  },
  DATABASE_INCOMPATIBLE: {
    what: "The tables were made from another schema or configuration.",
    fix: "The differences are listed. Undo the change, or index into another schema (`--schema`).",
  },
  DATABASE_NEWER: {
    what: "The internal tables were made by a newer version of Spindex.",
    fix: "Use that version or a newer one.",
  },
  DATABASE_PROXY: {
    what: "The address leads to a pooler that gives each transaction another connection.",
    fix: "Use a direct connection or one in session mode.",
  },
  EMBEDDED_DATABASE: {
    what: "The embedded PostgreSQL cannot run here.",
    fix: "Follow the message, or give a `DATABASE_URL`.",
  },
  SHARD_TAKEN: {
    what: "Another process owns this shard, and `--no-wait` was given.",
    fix: "Stop it, or leave out `--no-wait`: then this process waits and takes over. Two deployments use two schemas.",
  },
  PORT_IN_USE: {
    what: "The HTTP port is taken.",
    fix: "Give another one with `--port`.",
  },
  LISTEN_FAILED: {
    what: "The address of the metrics and status server cannot be listened on.",
    fix: "Choose another address with `--host` or another port with `--port`; ports below 1024 need privileges.",
  },
  CHAIN_ID_MISMATCH: {
    what: "A node belongs to another chain than the configuration says.",
    fix: "Correct the address of the node or the chain's id.",
  },
  SOURCE_REFUSED: {
    what: "A node refuses us: a wrong key, or a method that it does not offer.",
    fix: "Correct the address or the key of the node, or use another one.",
  },
  SOURCE_UNREACHABLE: {
    what: "No source of a chain could be reached within the time that is allowed.",
    fix: "Check the nodes. A supervisor may simply try again.",
  },
  SOURCE_ANSWER_INVALID: {
    what: "A node answered with something that cannot be: no JSON, wrong types, logs that were not asked for.",
    fix: "Nothing of the answer was used. Use another node if it goes on.",
  },
  REORG_TOO_DEEP: {
    what: "The chain replaced more blocks than there is history for.",
    fix: "The message lists the choices; nothing is guessed.",
  },
  HANDLER_FAILED: {
    what: "A handler threw. Everything before the block of its event is durable.",
    fix: "Correct the handler and start again: the event runs again.",
  },
  ROW_INVALID: {
    what: "A handler set a row with a value that its column cannot hold, or without one.",
    fix: "The message names entity, column, value and event.",
  },
  ROW_MISSING: {
    what: "A handler asked for a row that has to be there, and it is not.",
    fix: "Use `get` or `getOrCreate` where a row may be missing.",
  },
  FIND_INVALID: {
    what: "A handler called `find` with a column, an operator or an option that does not exist, or with a value that nothing can be compared with.",
    fix: "The message names the entity, the place in the options and the value. See [reads](handlers.md#reads).",
  },
  READ_PENDING: {
    what: "A handler returned while one of its reads or effects was still under way.",
    fix: "Await every read and every effect.",
  },
  CONTEXT_REVOKED: {
    what: "The context of a handler was used after its batch had ended.",
    fix: "Await everything that the handler starts.",
  },
  METRIC_INVALID: {
    what: "A handler declares a metric that cannot be, declares it twice in different ways, or leaves out one of its labels.",
    fix: "The message names the metric and what is wrong; docs/handlers.md has the rules.",
  },
  REGISTER_INVALID: {
    what: "A handler registers what is no address, or for a contract that is not on the event's chain.",
    fix: "The message names the value. docs/factories.md says how addresses are registered.",
  },
  EFFECT_FAILED: {
    what: "The function of an effect threw, took too long, or gave something that is not of its output's type.",
    fix: "The cause says which. Nothing is kept of it, so the effect is called again when a handler asks again; catch the error in the handler where it can do without.",
  },
  WRITE_FAILED: {
    what: "A write failed in a way that no retry can help.",
    fix: "The message names statement, table, SQLSTATE and checkpoints. See the runbook WriteFailed.",
  },
  WRITE_RETRIES_EXHAUSTED: {
    what: "Writes failed for longer than the time that is allowed.",
    fix: "Bring PostgreSQL back. Starting again resumes at the committed checkpoint.",
  },
  WRITER_FENCED: {
    what: "Another process took over the shard.",
    fix: "Nothing, if that was meant. Otherwise see to it that only one is started.",
  },
  DATABASE_WENT_BACK: {
    what: "PostgreSQL lost writes that it had confirmed: a backup was restored while this process ran, a replica was promoted, or the server runs with `synchronous_commit=off`.",
    fix: "Start again: it resumes from what the database has. Then find out why confirmed writes can be lost; see the runbook telemetry/runbooks/WriteFailed.md.",
  },
  TRACE_FILE_INVALID: {
    what: "`spindex trace show` cannot read the file: it is not there, or holds no traces.",
    fix: "Name a dump of the flight recorder (`.spindex/dumps`), the folder of them, or a file written with `--trace-file`.",
  },
  TRACE_UNKNOWN: {
    what: "The trace or batch is not in the file.",
    fix: "Leave out `--trace` and `--batch` to see what there is. The flight recorder keeps the last 5,000 spans.",
  },
  TEST_INPUT_INVALID: {
    what: "A test handed an event to a test indexer that no contract could emit there, or used the test indexer wrongly.",
    fix: "The message names event, argument and value.",
  },
  INTERNAL: {
    what: "A state that cannot be.",
    fix: "Please report it, with the message and the log.",
  },
};
