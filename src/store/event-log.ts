/** The handler event that a row came from. */
export interface RowOrigin {
  readonly chainId: number;
  readonly block: number;
  readonly checkpoint: number;
  readonly logIndex: number;
  /** `Contract.Event`. */
  readonly handler: string;
}

/** Events by number, of one sealed run. */
export interface RunOrigins {
  /** Undefined: the row came from no event. */
  at(event: number): RowOrigin | undefined;
}

interface LoggedBlock {
  readonly chainId: number;
  readonly block: number;
  readonly checkpoint: number;
  /** Number of its first event. */
  readonly firstEvent: number;
}

/**
 * Remembers the events of the open run and of the batch in progress by their numbers, so that a row that cannot be written
 * leads back to the handler that made it. Costs an event two pushes, and a row one number.
 */
export class EventLog {
  #blocks: LoggedBlock[] = [];
  #logIndexes: number[] = [];
  #handlers: string[] = [];
  /** Number of the oldest event that is kept. */
  #first = 1;
  #committed = 1;

  beginBlock(chainId: number, block: number, checkpoint: number): void {
    const firstEvent = this.#next;
    // A block without events is replaced by the next one.
    if (this.#blocks.at(-1)?.firstEvent === firstEvent) this.#blocks.pop();
    this.#blocks.push({ chainId, block, checkpoint, firstEvent });
  }

  /** @returns the event's number */
  add(logIndex: number, handler: string): number {
    this.#logIndexes.push(logIndex);
    this.#handlers.push(handler);
    return this.#next - 1;
  }

  /** What was added up to now belongs to committed batches. */
  commit(): void {
    this.#committed = this.#next;
  }

  /** Takes the events of committed batches; those of the batch in progress stay. */
  takeCommitted(): RunOrigins {
    const count = this.#committed - this.#first;
    const taken = originsOf(
      this.#first,
      this.#blocks,
      this.#logIndexes.slice(0, count),
      this.#handlers.slice(0, count),
    );
    this.#logIndexes = this.#logIndexes.slice(count);
    this.#handlers = this.#handlers.slice(count);
    const open = this.#blocks.findLastIndex(({ firstEvent }) => firstEvent <= this.#committed);
    this.#blocks = this.#blocks.slice(Math.max(open, 0));
    this.#first = this.#committed;
    return taken;
  }

  get #next(): number {
    return this.#first + this.#logIndexes.length;
  }
}

function originsOf(
  first: number,
  blocks: readonly LoggedBlock[],
  logIndexes: readonly number[],
  handlers: readonly string[],
): RunOrigins {
  return {
    at: (event) => {
      const logIndex = logIndexes[event - first];
      const handler = handlers[event - first];
      const logged = blocks.findLast(({ firstEvent }) => firstEvent <= event);
      if (logIndex === undefined || handler === undefined || logged === undefined) return undefined;
      const { chainId, block, checkpoint } = logged;
      return { chainId, block, checkpoint, logIndex, handler };
    },
  };
}
