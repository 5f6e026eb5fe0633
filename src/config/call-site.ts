import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Where `callee` was called: `src/handlers/token.ts:3`, relative to the working directory.
 * @param callee the function below whose frames the caller is looked for
 */
export function callSiteOf(callee: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, callee);
  const frame = holder.stack?.split("\n").find((line) => /^\s+at /.test(line)) ?? "";
  return siteInFrame(frame) ?? "an unknown place";
}

/** The first place in user code that a stack names: for errors thrown while a file is loaded. */
export function siteOfError(error: unknown): string | undefined {
  const stack = error instanceof Error ? error.stack : undefined;
  for (const line of stack?.split("\n") ?? []) {
    // A syntax error's stack begins with the place itself: `file:///…/x.ts:3`.
    const site = /^\s+at /.test(line) || /^(?:file:\/\/)?\/.*:\d+$/.test(line) ? siteInFrame(line) : undefined;
    if (site !== undefined && !site.includes("node_modules")) return site;
  }
  return undefined;
}

function siteInFrame(frame: string): string | undefined {
  const match = /(?:^|[\s(])((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^():]*):(\d+)(?::\d+)?\)?$/.exec(frame);
  if (match === null) return undefined;
  const [, file = "", line] = match;
  const path = file.startsWith("file://") ? fileURLToPath(file) : file;
  const short = relative(process.cwd(), path);
  return `${short.startsWith("..") ? path : short}:${line}`;
}
