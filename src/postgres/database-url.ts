import { SpindexError } from "../errors.ts";

/** A checked database URL. */
export interface DatabaseUrl {
  /** As given; may hold a password. Never printed. */
  readonly href: string;
  readonly database: string;
  /** `host:port/database`, for messages. */
  readonly label: string;
}

const EXAMPLE = "postgresql://user:password@host:5432/database";
const SSL_MODES = ["disable", "prefer", "require", "verify-ca", "verify-full", "no-verify"];

/**
 * Checks a database URL: `postgresql://user:password@host:port/database`, a Unix socket by `?host=/directory`.
 * @throws SpindexError DATABASE_URL_INVALID; it never shows the URL, which may hold a password
 */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  if (text.trim() === "") throw invalid("is empty");
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(text)?.[0];
  if (scheme === undefined) throw invalid("has no scheme");
  if (!/^postgres(ql)?$/i.test(scheme)) {
    // Without the slashes it may be a user name: `user:password@host`.
    throw invalid(text.startsWith(`${scheme}://`) ? `begins with "${scheme}:"` : "has no scheme");
  }
  if (!/^[a-z]+:\/\//i.test(text)) throw invalid(`lacks "//" after "${scheme}:"`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid("cannot be parsed; a host, port or password in it is malformed");
  }
  if (url.hash !== "") throw invalid('contains "#", which belongs to a password and must be written %23');
  const socket = url.searchParams.get("host");
  if (url.hostname.includes(",") || socket?.includes(",")) throw invalid("names several hosts; give one");
  const database = decoded(url.pathname.slice(1), "the database name");
  decoded(url.username, "the user name");
  decoded(url.password, "the password");
  if (database === "") throw invalid("names no database");
  if (url.pathname.slice(1).includes("/")) throw invalid("has more than one part after the host");
  const sslMode = url.searchParams.get("sslmode");
  if (sslMode !== null && !SSL_MODES.includes(sslMode)) {
    throw invalid(`has sslmode "${sslMode}"; known are ${SSL_MODES.join(", ")}`);
  }
  const host = socket ?? (url.hostname === "" ? "localhost" : decodeURIComponent(url.hostname));
  const where = host.startsWith("/") ? host : `${host}:${url.port === "" ? "5432" : url.port}`;
  return { href: text.trim(), database, label: `${where}/${database}` };
}

function decoded(part: string, what: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid(`has a "%" in ${what} that begins no escape; write it %25`);
  }
}

function invalid(what: string): SpindexError {
  return new SpindexError("DATABASE_URL_INVALID", `DATABASE_URL ${what}`, {
    fix: `Write it like ${EXAMPLE} (special characters of a password percent-encoded), or like postgresql://user@localhost/database?host=/var/run/postgresql for a Unix socket.`,
  });
}
