import type {
  HandlerCounter,
  HandlerHistogram,
  HandlerLog,
  HandlerMetrics,
  HandlerSpan,
  HandlerTelemetry,
  RunInSpan,
} from "./handler-telemetry.ts";

export const MUTED_LOG: HandlerLog = Object.freeze({ debug() {}, info() {}, warn() {}, error() {} });

/** Runs without a span: nothing of it is traced. */
export const withoutSpan: RunInSpan = (_, run) => run(NO_SPAN);

const NO_SPAN: HandlerSpan = Object.freeze({ set() {}, span: withoutSpan });

const NOTHING: HandlerCounter<string> & HandlerHistogram<string> = Object.freeze({ add() {}, observe() {} });

const MUTED_METRICS: HandlerMetrics = Object.freeze({
  counter: () => NOTHING as HandlerCounter<never>,
  histogram: () => NOTHING as HandlerHistogram<never>,
});

/** For a pass whose results are discarded: code in spans runs, and nothing is logged, traced or counted. */
export const MUTED_HANDLERS: HandlerTelemetry = Object.freeze({
  log: MUTED_LOG,
  span: withoutSpan,
  metrics: MUTED_METRICS,
  beginBlock() {},
  beginEvent() {},
  undoEvent() {},
  undoBlock() {},
});
