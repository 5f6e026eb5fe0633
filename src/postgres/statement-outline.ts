const MAX_LENGTH = 200;

/**
 * The parts of a statement, and what becomes of them; undefined: they stay. What begins like another one comes before it.
 * The server cuts long statements off, so the last part may lack its end.
 */
const PARTS: readonly (readonly [what: RegExp, becomes: "?" | " " | undefined])[] = [
  // A quoted name.
  [/"(?:[^"]|"")*"?/, undefined],
  // A text with escapes, one without, and one in dollars.
  [/\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'?/, "?"],
  [/(?:\b(?:[bBxXnN]|[uU]&))?'(?:[^']|'')*'?/, "?"],
  [/\$(?<tag>[A-Za-z_]\w*)?\$[\s\S]*?(?:\$\k<tag>\$|$)/, "?"],
  // A parameter, a name or keyword, which may hold digits, and a number.
  [/\$\d+/, undefined],
  [/[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/, undefined],
  [/(?:\d[\d_.]*|\.\d+)(?:[eE][+-]?\d+)?/, "?"],
  [/--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\s+/, " "],
];

const ANY_PART = new RegExp(PARTS.map(([{ source }], at) => `(?<part${at}>${source})`).join("|"), "g");

/** A statement for people to recognise: on one line, shortened, without literals and comments, which may be secret. */
export function statementOutline(sql: string): string {
  const outline = sql
    .replace(ANY_PART, (part: string, ...rest: unknown[]) => {
      const groups = rest.at(-1) as Readonly<Record<string, string | undefined>>;
      return PARTS.find((_, at) => groups[`part${at}`] !== undefined)?.[1] ?? part;
    })
    .replace(/ +/g, " ")
    .trim();
  return outline.length > MAX_LENGTH ? `${outline.slice(0, MAX_LENGTH - 1)}…` : outline;
}
