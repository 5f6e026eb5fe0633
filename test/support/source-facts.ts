import { parseSync, Visitor } from "oxc-parser";

/** One import, re-export or import type of a source file. */
export interface ImportFact {
  readonly line: number;
  /** As written. */
  readonly from: string;
  /** Imported values; `*` for a namespace, `default` for a default import, none for a bare import. */
  readonly names: readonly string[];
  /** `type`: erased before the program runs. `lazy`: loaded when the expression is evaluated. */
  readonly kind: "value" | "type" | "lazy";
}

/** Something global that a file uses: `process.env`, `setTimeout`, `Math.random`. */
export interface UseFact {
  readonly line: number;
  readonly what: string;
}

/** What the rules about the sources need to know of one file. */
export interface SourceFacts {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly ImportFact[];
  readonly uses: readonly UseFact[];
  /** Lines of default exports. */
  readonly defaultExports: readonly number[];
}

const GLOBAL_CALLS = new Set(["setTimeout", "setInterval", "setImmediate"]);
const GLOBAL_MEMBERS = new Set(["process", "Math", "Date", "performance"]);

/**
 * Reads the facts of one TypeScript file from its syntax tree, so that neither comments nor texts count.
 * @throws Error when the file does not parse
 */
export function readSourceFacts(path: string, text: string): SourceFacts {
  const { program, errors } = parseSync(path, text, { lang: "ts", sourceType: "module" });
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const lineAt = lineCounter(text);
  const imports: ImportFact[] = [];
  const uses: UseFact[] = [];
  const defaultExports: number[] = [];
  new Visitor({
    ImportDeclaration(node) {
      imports.push({
        line: lineAt(node.start),
        from: node.source.value,
        // `import { type A } from "x"` still loads x: only `import type` is erased as a whole.
        kind: node.importKind === "type" ? "type" : "value",
        names: node.specifiers.flatMap((specifier) => {
          if (specifier.type === "ImportDefaultSpecifier") return "default";
          if (specifier.type === "ImportNamespaceSpecifier") return "*";
          return specifier.importKind === "type" ? [] : nameOf(specifier.imported);
        }),
      });
      // `import { env } from "node:process"` is a use like any other.
      if (/^(node:)?process$/.test(node.source.value)) {
        for (const specifier of node.specifiers) {
          if (specifier.type !== "ImportSpecifier") continue;
          uses.push({ line: lineAt(node.start), what: `process.${nameOf(specifier.imported)}` });
        }
      }
    },
    ExportNamedDeclaration(node) {
      for (const specifier of node.specifiers) {
        if (nameOf(specifier.exported) === "default") defaultExports.push(lineAt(specifier.start));
      }
      if (node.source === null) return;
      imports.push({
        line: lineAt(node.start),
        from: node.source.value,
        kind: node.exportKind === "type" ? "type" : "value",
        names: node.specifiers.map((specifier) => nameOf(specifier.local)),
      });
    },
    ExportAllDeclaration(node) {
      const kind = node.exportKind === "type" ? "type" : "value";
      imports.push({ line: lineAt(node.start), from: node.source.value, kind, names: ["*"] });
    },
    ExportDefaultDeclaration(node) {
      defaultExports.push(lineAt(node.start));
    },
    TSImportType(node) {
      imports.push({ line: lineAt(node.start), from: node.source.value, kind: "type", names: ["*"] });
    },
    ImportExpression(node) {
      if (node.source.type !== "Literal" || typeof node.source.value !== "string") return;
      imports.push({ line: lineAt(node.start), from: node.source.value, kind: "lazy", names: ["*"] });
    },
    CallExpression(node) {
      if (node.callee.type !== "Identifier" || !GLOBAL_CALLS.has(node.callee.name)) return;
      uses.push({ line: lineAt(node.start), what: node.callee.name });
    },
    NewExpression(node) {
      if (node.callee.type !== "Identifier" || node.callee.name !== "Date" || node.arguments.length > 0) return;
      uses.push({ line: lineAt(node.start), what: "Date.now" });
    },
    MemberExpression(node) {
      if (node.object.type !== "Identifier" || !GLOBAL_MEMBERS.has(node.object.name)) return;
      const name = nameOf(node.property);
      uses.push({ line: lineAt(node.start), what: `${node.object.name}.${name}` });
    },
    VariableDeclarator(node) {
      if (node.id.type !== "ObjectPattern" || node.init?.type !== "Identifier") return;
      if (!GLOBAL_MEMBERS.has(node.init.name)) return;
      for (const property of node.id.properties) {
        const name = property.type === "Property" ? nameOf(property.key) : "*";
        uses.push({ line: lineAt(node.start), what: `${node.init.name}.${name}` });
      }
    },
  }).visit(program);
  return { path, lines: lineAt(text.length), imports, uses, defaultExports };
}

/** The name in an identifier or a text; anything computed is `*`. */
function nameOf(node: { type: string; name?: unknown; value?: unknown }): string {
  const name = node.type === "Identifier" ? node.name : node.value;
  return typeof name === "string" ? name : "*";
}

function lineCounter(text: string): (offset: number) => number {
  return (offset) => text.slice(0, offset).split("\n").length;
}
