import { messageOf } from "../../errors.ts";
import type { Instruments } from "../instruments.ts";
import { type LabelsOf, METRICS } from "../names.ts";
import { redact } from "../redact.ts";
import type { BackendWait, BackendWaits } from "./backend-waits.ts";
import { type OpenWork, openWorkOf, type ToldWait } from "./open-work.ts";
import type { Unfinished } from "./unfinished.ts";
import { WaitLog } from "./wait-log.ts";
import { tellOf } from "./wait-span.ts";

/** How often to look. */
const LOOK_MS = 1_000;
/** What is open for longer is told of, and then again. */
const LONG_MS = 10_000;
const AGAIN_MS = 30_000;
/** A standby is well, and may wait for days. */
const STANDBY_AGAIN_MS = 600_000;
/** Most that are told of at one look, oldest first: hundreds of batches may wait for one write. */
const MAX_AT_ONCE = 32;

/** What has lasted for so long is a stall: the flight recorder writes down what led to it. */
const STALL_MS = 60_000;

type BackendWaitKind = LabelsOf<"pg_backend_waits">["kind"];
const KINDS: readonly BackendWaitKind[] = METRICS.pg_backend_waits.labels.kind;

/** @param event as in `pg_stat_activity`: `Lock: relation` */
function kindOf(event: string): BackendWaitKind {
  const type = event.split(":")[0]?.toLowerCase();
  return KINDS.find((kind) => kind === type) ?? "other";
}

/** What was told of, and has not ended. */
interface Told {
  wait: ToldWait;
  nextAt: number;
  isLogged: boolean;
  isStall: boolean;
}

/**
 * Looks once a second for what has been open for long, and tells of it while it lasts: by a short span, which is exported
 * at once since the open one is not yet, by a metric whose exemplar leads to that span, and by the log.
 */
export class WaitWatch {
  /** Where to ask what keeps sessions waiting. Undefined: nowhere. */
  backends: BackendWaits | undefined;
  readonly #instruments: Instruments;
  readonly #log: WaitLog;
  readonly #told = new Map<Unfinished, Told>();
  /** The last spans are on their way: nobody waits for them while the watch runs. */
  #sent: Promise<void> = Promise.resolve();

  constructor(instruments: Instruments) {
    this.#instruments = instruments;
    this.#log = new WaitLog(instruments.log, instruments.clock, LONG_MS);
  }

  /** Everything that is open, oldest first. */
  list(): readonly OpenWork[] {
    const works = [...this.#instruments.open].map((unfinished) => openWorkOf(unfinished, unfinished.doing()));
    return works.sort((a, b) => a.since - b.since);
  }

  /** Sessions in the database that keep something waiting, by what they wait for, as it was when they were last asked. */
  backendWaits(): ReadonlyMap<BackendWaitKind, number> {
    const { open } = this.#instruments;
    const kinds = new Map<number, BackendWaitKind>();
    for (const [unfinished, { wait }] of this.#told) {
      if (wait.backend !== undefined && open.has(unfinished)) kinds.set(wait.backend.pid, kindOf(wait.backend.event));
    }
    return new Map(KINDS.map((kind) => [kind, [...kinds.values()].filter((other) => other === kind).length]));
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#instruments.clock.sleep(LOOK_MS, signal);
      if (!signal.aborted) await this.#look();
    }
    await this.#sent;
  }

  async #look(): Promise<void> {
    this.#forgetEnded();
    const due = this.#due();
    if (due.length === 0) return;
    const { waits, problem } = await this.#askBackends(due);
    // Some may have ended while the database was asked.
    const lasting = due.filter((unfinished) => this.#instruments.open.has(unfinished));
    const told = lasting.map((unfinished) => ({ unfinished, ...tellOf(this.#instruments, unfinished, waits) }));
    const logged = new Set(this.#log.lasting(told, problem));
    let hasStalled = false;
    for (const wait of told) {
      const before = this.#told.get(wait.unfinished);
      const isStall = wait.loop !== "lifecycle" && wait.waitedMs >= STALL_MS;
      hasStalled ||= isStall && before?.isStall !== true;
      this.#told.set(wait.unfinished, {
        wait,
        nextAt: this.#instruments.clock.now() + (wait.state === "standby" ? STANDBY_AGAIN_MS : AGAIN_MS),
        isLogged: before?.isLogged === true || logged.has(wait),
        isStall,
      });
    }
    this.#sent = this.#instruments.tracing.flush();
    if (hasStalled) this.#instruments.dump("stall");
  }

  #due(): readonly Unfinished[] {
    const { open, clock } = this.#instruments;
    const now = clock.now();
    const due: Unfinished[] = [];
    for (const unfinished of open) {
      if (now - unfinished.since < LONG_MS) continue;
      if (now >= (this.#told.get(unfinished)?.nextAt ?? 0)) due.push(unfinished);
    }
    return due.sort((a, b) => a.since - b.since).slice(0, MAX_AT_ONCE);
  }

  #forgetEnded(): void {
    for (const [unfinished, { wait, isLogged }] of this.#told) {
      if (this.#instruments.open.has(unfinished)) continue;
      this.#told.delete(unfinished);
      if (isLogged) this.#log.ended(wait);
    }
  }

  async #askBackends(
    due: readonly Unfinished[],
  ): Promise<{ readonly waits: ReadonlyMap<number, BackendWait>; readonly problem: string | undefined }> {
    const pids = new Set(due.flatMap((unfinished) => unfinished.doing().backendPids ?? []));
    if (pids.size === 0 || this.backends === undefined) return { waits: new Map(), problem: undefined };
    try {
      return { waits: await this.backends.ask([...pids]), problem: undefined };
    } catch (error) {
      return { waits: new Map(), problem: redact(messageOf(error)) };
    }
  }
}
