export const ENV: unique symbol = Symbol.for("spindex.env");
export interface EnvReference {
  readonly [ENV]: { readonly name: string; readonly default: string | undefined };
}
