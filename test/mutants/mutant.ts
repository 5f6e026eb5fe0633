/** A small breakage of the code, and the test that must not let it pass. */
export interface Mutant {
  readonly name: string;
  /** What it breaks: a rule or an invariant of docs/architecture.md, or of the part itself. */
  readonly rule: string;
  /** A file of `src`, from the repository's root. */
  readonly file: string;
  /** Text that is in the file exactly once, */
  readonly find: string;
  /** and what stands there instead. */
  readonly replace: string;
  readonly killedBy: {
    /** From the repository's root. */
    readonly file: string;
    /** The test's name, or what its names have in common. */
    readonly name: string;
  };
}

/** Both loops over a storage in memory, with everything that can happen to them. */
export const HEART: Mutant["killedBy"] = {
  file: "test/property/heart.test.ts",
  name: "rows, progress, history and runs are those of a plain fold of the events",
};
