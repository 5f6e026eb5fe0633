/** A fenced block of a document. */
export interface CodeBlock {
  readonly language: string;
  /** From a first line like `// src/handlers/token.ts`: the file that the block stands for. */
  readonly file: string | undefined;
  readonly text: string;
  readonly line: number;
}

export function codeBlocksOf(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(\w*)[^\n]*\n(.*?)^```$/gms)].map((match) => {
    const [, language = "", text = ""] = match;
    const file = /^\/\/ ([\w./-]+\.ts)\n/.exec(text)?.[1];
    return { language, file, text, line: markdown.slice(0, match.index).split("\n").length };
  });
}

/** Targets of links, without those in code; addresses of other hosts left out. */
export function localLinksOf(markdown: string): string[] {
  const prose = markdown.replaceAll(/^```.*?^```$/gms, "").replaceAll(/`[^`]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = ""]) => (/^\w+:/.test(target) ? [] : target));
}

/** Names that headings can be linked by. */
export function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
