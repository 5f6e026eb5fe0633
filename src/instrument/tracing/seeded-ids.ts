import type { IdGenerator } from "@opentelemetry/sdk-trace";

/** Ids that follow from the seed alone (splitmix32), so that a share of traces is the same one each time. */
export function seededIds(seed: number): IdGenerator {
  let state = seed >>> 0;
  const word = (): string => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0).toString(16).padStart(8, "0");
  };
  const words = (count: number): string => {
    const id = Array.from({ length: count }, word).join("");
    // All zeros stand for no id.
    return /[^0]/.test(id) ? id : words(count);
  };
  return { generateTraceId: () => words(4), generateSpanId: () => words(2) };
}
