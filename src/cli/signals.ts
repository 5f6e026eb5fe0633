/**
 * Aborts at SIGTERM and SIGINT, so that what is processed becomes durable first. A second one ends the process at once:
 * nothing is lost, what was not durable is indexed again.
 */
export function stopSignal(onStop: (signal: string) => void): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130);
    onStop(signal);
    controller.abort();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off("SIGTERM", stop);
      process.off("SIGINT", stop);
    },
  };
}

/** Asks for a dump at SIGUSR1, and the process goes on. (Node.js would open its debugger at this signal.) */
export function dumpSignal(dump: () => Promise<void>): { dispose(): void } {
  const onSignal = (): void => void dump();
  process.on("SIGUSR1", onSignal);
  return { dispose: () => void process.off("SIGUSR1", onSignal) };
}
