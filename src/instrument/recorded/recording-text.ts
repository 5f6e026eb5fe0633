import { dumpText, logText } from "./dump-text.ts";
import { pictureOf } from "./picture.ts";
import { type PictureTextOptions, pictureText } from "./picture-text.ts";
import type { Recording } from "./recording.ts";
import { selectTraces, type TraceSelection } from "./select-traces.ts";

/**
 * A recording as text: what a dump says of its moment, and the selected traces, each with its log lines.
 * @returns undefined when what was selected is not there
 */
export function recordingText(
  recording: Recording,
  selection: TraceSelection,
  options: PictureTextOptions,
): string | undefined {
  const { model, dump } = recording;
  const { style } = options;
  const { traceIds, of } = selectTraces(model, selection);
  if (traceIds.length === 0 && model.spans.length > 0) return undefined;
  const pictures = traceIds.map((traceId) => {
    const picture = pictureOf(model, traceId);
    const logs = logText(recording, new Set(picture.rows.map(({ span }) => span.traceId)), style);
    return pictureText(picture, model, options) + (logs === "" ? "" : `\n${logs}`);
  });
  const rest = of - traceIds.length;
  return [
    ...(dump === undefined ? [] : [dumpText(recording, style)]),
    ...pictures,
    ...(rest > 0 ? [style("dim", `${rest} more: --slowest <count>, --batch <number>, --trace <id>`)] : []),
  ].join("\n\n");
}
