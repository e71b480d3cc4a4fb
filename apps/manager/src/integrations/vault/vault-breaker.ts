import {
  BrokenCircuitError,
  bulkhead,
  BulkheadRejectedError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
  TaskCancelledError,
  wrap,
} from 'cockatiel';
import { SecretStoreError, type SecretStoreFailure } from '../../ports/secret-store.js';

export interface VaultBreakerOptions {
  /** What stops answering, for messages. */
  readonly name: string;
  /** What it is when nothing is asked; default `unavailable`. */
  readonly failure?: SecretStoreFailure;
  readonly maxInFlight: number;
  readonly maxWaiting: number;
  /** After so many failures in a row it asks nothing for `pauseMs`, and then one request at a time until one is well. */
  readonly failures: number;
  readonly pauseMs: number;
}

export interface VaultBreaker {
  /** Only `unavailable` counts as a failure: what answers, however it answers, is there. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  readonly isOpen: boolean;
  /** Told when it opens and when it closes. */
  onChange(listener: (open: boolean) => void): void;
}

/** Bounds what a server that hangs is asked: in flight, and after it was seen to hang. */
export function createVaultBreaker(options: VaultBreakerOptions): VaultBreaker {
  const { name, failure = 'unavailable', maxInFlight, maxWaiting, failures, pauseMs } = options;
  const breaker = circuitBreaker(
    handleWhen((error) => error instanceof SecretStoreError && error.failure === 'unavailable'),
    { halfOpenAfter: pauseMs, breaker: new ConsecutiveBreaker(failures) },
  );
  const limits = wrap(bulkhead(maxInFlight, maxWaiting), breaker);
  return {
    async run(work, signal) {
      try {
        return await limits.execute(work, signal);
      } catch (error) {
        throw explain(error, name, failure);
      }
    },
    get isOpen() {
      return breaker.state === CircuitState.Open;
    },
    onChange(listener) {
      breaker.onBreak(() => listener(true));
      breaker.onReset(() => listener(false));
    },
  };
}

function explain(error: unknown, name: string, failure: SecretStoreFailure): unknown {
  if (error instanceof BrokenCircuitError) {
    return new SecretStoreError(failure, `${name} did not answer a moment ago: not asked again yet`);
  }
  if (error instanceof BulkheadRejectedError || error instanceof TaskCancelledError) {
    return new SecretStoreError(failure, `${name} has too many requests waiting`);
  }
  return error;
}
