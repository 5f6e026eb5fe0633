const REPLACEMENT = "\uFFFD";

/**
 * A text as a database holds it: NUL and half a surrogate pair, which PostgreSQL takes neither in text nor in jsonb,
 * become U+FFFD. So a contract's junk name cannot stop an indexer.
 */
export function storedText(text: string): string {
  if (text.isWellFormed() && !text.includes("\0")) return text;
  return text.toWellFormed().replaceAll("\0", REPLACEMENT);
}
