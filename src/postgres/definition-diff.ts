/**
 * What differs between two JSON values, one line each with a readable path, e.g.
 * `tables.account.columns.memo: added ("text")`. Lists of plain values are compared as sets, others by position.
 */
export function jsonDifferences(stored: unknown, wanted: unknown, path = ""): readonly string[] {
  if (isRecord(stored) && isRecord(wanted)) {
    const names = new Set([...Object.keys(stored), ...Object.keys(wanted)]);
    return [...names].sort().flatMap((name) => jsonDifferences(stored[name], wanted[name], joined(path, name)));
  }
  if (Array.isArray(stored) && Array.isArray(wanted)) return listDifferences(stored, wanted, path);
  if (stored === undefined && wanted === undefined) return [];
  if (stored === undefined) return [`${path}: added (${shown(wanted)})`];
  if (wanted === undefined) return [`${path}: removed (was ${shown(stored)})`];
  return shown(stored) === shown(wanted) ? [] : [`${path}: changed from ${shown(stored)} to ${shown(wanted)}`];
}

function listDifferences(stored: readonly unknown[], wanted: readonly unknown[], path: string): readonly string[] {
  if (JSON.stringify(stored) === JSON.stringify(wanted)) return [];
  if ([...stored, ...wanted].every((value) => typeof value !== "object")) {
    const removed = stored.filter((value) => !wanted.includes(value));
    const added = wanted.filter((value) => !stored.includes(value));
    if (removed.length + added.length === 0)
      return [`${path}: order changed from ${shown(stored)} to ${shown(wanted)}`];
    return [
      ...removed.map((value) => `${path}: removed (was ${shown(value)})`),
      ...added.map((value) => `${path}: added (${shown(value)})`),
    ];
  }
  const length = Math.max(stored.length, wanted.length);
  return Array.from({ length }, (_, at) => jsonDifferences(stored[at], wanted[at], `${path}[${at}]`)).flat();
}

function joined(path: string, name: string): string {
  const part = /^\w+$/.test(name) ? name : JSON.stringify(name);
  return path === "" ? part : `${path}.${part}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as short text; object keys sorted, so that equal values look equal. */
function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) =>
    isRecord(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
  return text ?? "nothing";
}
