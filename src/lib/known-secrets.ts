/**
 * Values that are known to be secret: those of secret variables, the addresses and headers of sources. They are kept for
 * the whole process, so that a text that holds one is made safe whatever form it is in and whoever wrote it.
 */
const known = new Set<string>();
let pattern: RegExp | undefined;

/** What stands for a secret. */
export const HIDDEN = "[redacted]";

/** Shorter ones are too likely to be words that mean something else. */
const MIN_PASSWORD = 6;
const MIN_KEY = 8;

/**
 * Keeps what is secret in a value: of an address its credentials, the keys in its path and its query; of any other text
 * the text itself and its words (`Bearer …`, `name=…`).
 */
export function keepSecret(value: string): void {
  const before = known.size;
  for (const secret of value.includes("://") ? secretsOfAddress(value) : secretsOfText(value)) {
    for (const form of formsOf(secret)) known.add(form);
  }
  if (known.size === before) return;
  const longestFirst = [...known].sort((a, b) => b.length - a.length).map(escaped);
  pattern = new RegExp(`(?<![A-Za-z0-9])(?:${longestFirst.join("|")})(?![A-Za-z0-9])`, "g");
}

/** The text without the secrets that were kept. */
export function hideSecrets(text: string): string {
  return pattern === undefined ? text : text.replace(pattern, HIDDEN);
}

function secretsOfText(text: string): string[] {
  const words = text.split(/[\s,;=&]+/).filter((word) => word.length >= MIN_KEY && isNoWord(word));
  return text.trim().length >= MIN_KEY && isNoNumber(text) ? [text.trim(), ...words] : words;
}

/** Addresses are often not well-formed: a password has a slash in it, or a hash. */
function secretsOfAddress(address: string): string[] {
  const [, scheme = "", rest = ""] = /^\s*([^:/?#]*):\/\/(.*?)\s*$/s.exec(address) ?? [];
  const at = rest.lastIndexOf("@");
  const [, user = "", password = ""] = /^([^:]*):?(.*)$/s.exec(at < 0 ? "" : rest.slice(0, at)) ?? [];
  const [place = "", ...queries] = rest.slice(at + 1).split(/[?#]/);
  const [host = "", ...path] = place.split("/");
  const values = queries.flatMap((query) => query.split("&").map((pair) => pair.slice(pair.indexOf("=") + 1)));
  if (/^postgres/i.test(scheme)) {
    // A password that is also a public name is no secret: `postgres:postgres@localhost/postgres`.
    const isPublic = [user, host.replace(/:\d+$/, ""), ...path].includes(password);
    return isPublic ? [] : [password].filter((word) => word.length >= MIN_PASSWORD && isNoNumber(word));
  }
  const credentials = [user, password].filter((word) => word.length >= MIN_PASSWORD && isNoNumber(word));
  const basic = at < 0 ? [] : [Buffer.from(`${decoded(user)}:${decoded(password)}`).toString("base64")];
  return [...credentials, ...basic, ...[...path, ...values].filter((word) => word.length >= MIN_KEY && isNoWord(word))];
}

/** In `eth-mainnet` or `ethereum` there is no key. */
function isNoWord(text: string): boolean {
  return isNoNumber(text) && !/^[a-z_-]+$/.test(text);
}

/** A number is left alone: it may be one of a block, and without it JSON is no JSON any more. */
function isNoNumber(text: string): boolean {
  return !/^[\d.]+$/.test(text);
}

/** A secret as it was given, decoded, encoded for an address, and inside of JSON. */
function formsOf(secret: string): string[] {
  const plain = [secret, decoded(secret)];
  return plain.flatMap((text) => [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1)]);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
