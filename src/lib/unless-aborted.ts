/**
 * What `work` comes to, unless `signal` aborts first: then its reason is thrown at once, and what becomes of `work` is
 * ignored.
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = (): void => reject(signal.reason);
  const settle = (): void => signal.removeEventListener("abort", abort);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  work.then(
    (value) => {
      settle();
      resolve(value);
    },
    (error: unknown) => {
      settle();
      reject(error);
    },
  );
  return promise;
}
