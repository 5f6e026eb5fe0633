/** An identifier as SQL text. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Several identifiers, joined by commas. */
export function quoteNames(names: readonly string[]): string {
  return names.map(quoteName).join(", ");
}

/** A text constant as SQL text, right with any setting of `standard_conforming_strings`. */
export function quoteText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
  return text.includes("\\") ? `E${quoted}` : quoted;
}

/** PostgreSQL cuts longer identifiers, silently. */
export const MAX_NAME_BYTES = 63;
