import type { EffectShape } from "../store/effect-shape.ts";
import { type EffectKey, type EffectReader, effectKeyOf, type StoredEffect } from "../store/effect-table.ts";

interface WaitingRead {
  readonly key: EffectKey;
  readonly done: PromiseWithResolvers<StoredEffect | undefined>;
}

/** Reads of stored outputs: those asked for in the same turn of a handler become one query. */
export class EffectReads {
  readonly #reader: EffectReader;
  #waiting: WaitingRead[] = [];

  constructor(reader: EffectReader) {
    this.#reader = reader;
  }

  read(shape: EffectShape, input: string): Promise<StoredEffect | undefined> {
    if (this.#waiting.length === 0) {
      queueMicrotask(() => {
        // Never rejects: what fails is told to those who wait.
        this.#send().catch(() => {});
      });
    }
    const done = Promise.withResolvers<StoredEffect | undefined>();
    this.#waiting.push({ key: effectKeyOf(shape, input), done });
    return done.promise;
  }

  async #send(): Promise<void> {
    const sent = this.#waiting;
    this.#waiting = [];
    try {
      const stored = await this.#reader.effectsByKey(sent.map(({ key }) => key));
      const found = new Map(stored.map((effect) => [nameOf(effect), effect]));
      for (const { key, done } of sent) done.resolve(found.get(nameOf(key)));
    } catch (error) {
      for (const { done } of sent) done.reject(error);
    }
  }
}

function nameOf({ effect, inputHash }: Pick<EffectKey, "effect" | "inputHash">): string {
  return `${effect} ${inputHash}`;
}
