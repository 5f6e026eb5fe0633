/** The public API: what `import … from "spindex"` gives. */
export type {
  BlockField,
  BlockFields,
  FieldSelection,
  TransactionField,
  TransactionFields,
} from "./chain/fields.ts";
export type { Column, Many, ScalarColumn } from "./config/column.ts";
export {
  type ChainConfig,
  type ContractConfig,
  type DeploymentConfig,
  defineIndexer,
  type IndexerConfig,
  type SourceConfig,
} from "./config/define-indexer.ts";
export {
  type CallEffect,
  createEffect,
  type Effect,
  type EffectContext,
  type EffectFunction,
  type EffectOptions,
  type EffectShape,
  type EffectValue,
} from "./config/effect.ts";
export { type AnyEntity, type Entity, type EntityOptions, entity, many } from "./config/entity.ts";
export { type EnvReference, env } from "./config/env.ts";
export type { AbiInput, BlockWith, EventKey, HandlerEvent, TransactionWith } from "./config/events.ts";
export { type FactoryOptions, type FactoryReference, factory } from "./config/factory.ts";
export type {
  AnyIndexer,
  ContextOf,
  EventOf,
  Handler,
  HandlerChain,
  HandlerContext,
  HandlerOptions,
  Indexer,
  Register,
  SetupContext,
  SetupHandler,
} from "./config/indexer.ts";
export type {
  AppendOnlyStore,
  EntityStore,
  InsertOf,
  KeyOf,
  MaybePromise,
  PatchOf,
  RowOf,
  StoreOf,
} from "./config/rows.ts";
export { type ColumnTypes, type JsonValue, t } from "./config/t.ts";
export { type ErrorCode, SpindexError } from "./errors.ts";
export type {
  CounterOptions,
  HandlerCounter,
  HandlerHistogram,
  HandlerLog,
  HandlerMetrics,
  HandlerSpan,
  HandlerSpanValue,
  HistogramOptions,
  LabelsGiven,
  LabelValue,
  RunInSpan,
} from "./instrument/handler-telemetry.ts";
