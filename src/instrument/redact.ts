import { HIDDEN, hideSecrets } from "../lib/known-secrets.ts";

const ADDRESS = /\b([a-z][a-z0-9+.-]*):\/\/([^\s"'`<>\\]+)/gi;
const HOST_AND_PORT = /^(?:\[[^\]]*\]|[^/?#,;:)\]}]*)(?::\d+)?/;
const JSON_SECRET = /("[\w.-]*(?:password|passwd|secret|api[_-]?key|authorization)":\s*)"(?:[^"\\]|\\.)*"/gi;
const TEXT_SECRET = /\b((?:password|passwd|secret|api[_-]?key)\s*=\s*)[^\s"'&,;\\]+/gi;

/**
 * The text without secrets: addresses are reduced to their origin (the key of a provider is a part of the path, a
 * password is a part of the authority), values named like secrets are removed, and so are values that are known to be
 * secret, wherever they stand. For any text that leaves the process.
 */
export function redact(text: string): string {
  const named = text.replace(JSON_SECRET, `$1"${HIDDEN}"`).replace(TEXT_SECRET, `$1${HIDDEN}`);
  return hideSecrets(named.includes("://") ? named.replace(ADDRESS, originOf) : named);
}

function originOf(_address: string, scheme: string, rest: string): string {
  // People write passwords with a slash or an @ into database addresses, unescaped.
  const authority = /^postgres/i.test(scheme) ? rest : (rest.split(/[/?#]/, 1)[0] as string);
  const host = HOST_AND_PORT.exec(authority.slice(authority.lastIndexOf("@") + 1))?.[0] ?? "";
  return `${scheme}://${host}`;
}
