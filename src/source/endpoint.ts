import { SpindexError } from "../errors.ts";

/** Where requests go. Only `label`, `host` and `port` may be shown: path, query and credentials are often keys. */
export interface Endpoint {
  /** `host` or `host:port`. */
  readonly label: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * A text that came from outside, such as an error page that repeats the URL, as it may be shown: on one line, without
   * secrets, and cut after `length` characters, by default 300.
   */
  quote(text: string, length?: number): string;
}

/** Shorter pieces of a path are words like `v1`, not keys. */
const SECRET_LENGTH = 8;

/** @throws SpindexError CONFIG_INVALID when it is not an http(s) URL; the message does not repeat it */
export function endpointOf(address: string, headers: Readonly<Record<string, string>>): Endpoint {
  const url = URL.parse(address);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new SpindexError("CONFIG_INVALID", "source: the RPC address is not a URL with http:// or https://", {
      fix: "Give the whole address of a JSON-RPC endpoint, such as https://rpc.example.com/key.",
    });
  }
  const credentials = `${safeDecode(url.username)}:${safeDecode(url.password)}`;
  const secrets = secretsOf(url, headers);
  return {
    label: url.host,
    host: url.hostname,
    port: url.port === "" ? undefined : Number(url.port),
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      ...(credentials === ":" ? {} : { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` }),
      ...headers,
    },
    quote: (text, length = 300) => quote(text, length, secrets),
  };
}

function secretsOf(url: URL, headers: Readonly<Record<string, string>>): readonly string[] {
  const words = [url.username, url.password, ...url.pathname.split("/"), ...url.searchParams.values()];
  for (const value of Object.values(headers)) words.push(value, ...value.split(/\s+/));
  const secrets = words.flatMap((word) => [word, safeDecode(word)]).filter((word) => word.length >= SECRET_LENGTH);
  return [...new Set(secrets)].sort((a, b) => b.length - a.length);
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function quote(text: string, length: number, secrets: readonly string[]): string {
  let clean = text.replace(/\b(https?|wss?):\/\/[^\s"'<>\\)\]]+/gi, (found) => URL.parse(found)?.host ?? "…");
  for (const secret of secrets) clean = clean.replaceAll(secret, "…");
  // Cut last: half a key would not have been recognised.
  clean = clean.replace(/\s+/g, " ").trim();
  return clean.length > length ? `${clean.slice(0, length)}…` : clean;
}
