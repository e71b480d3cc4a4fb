import type { RequestId } from './json-rpc.js';

/** A request that was let in and has not been answered. */
export interface Pending {
  readonly method: string;
  /** Said by the client; the entry stays, since the answer may come all the same. */
  cancelled?: boolean;
  readonly openedAt: number;
}

export interface InFlightLimits {
  readonly maxRequests: number;
  readonly maxAgeMs: number;
}

export const defaultInFlightLimits: InFlightLimits = { maxRequests: 1_000, maxAgeMs: 30 * 60_000 };

/** The requests of one transport, by id (`1` and `"1"` are two). Nothing is forgotten because it was cancelled or took long, but to make room at the cap. */
export interface InFlight<Entry extends Pending> {
  /** `in_flight`: this id is unanswered. `too_many`: the cap is reached. */
  open(id: RequestId, entry: Entry): 'opened' | 'in_flight' | 'too_many';
  get(id: RequestId): Entry | undefined;
  /** Takes the entry out. */
  close(id: RequestId): Entry | undefined;
  entries(): IterableIterator<Entry>;
  readonly size: number;
}

export function createInFlight<Entry extends Pending>(limits: InFlightLimits): InFlight<Entry> {
  const { maxRequests, maxAgeMs } = limits;
  const pending = new Map<RequestId, Entry>();

  const dropAged = (now: number): void => {
    for (const [id, entry] of pending) {
      if (now - entry.openedAt < maxAgeMs) return;
      pending.delete(id);
    }
  };
  // MCP SDK 1.x ignores the cancellation of 0 and '': those are answered all the same.
  const dropOneCancelled = (): void => {
    for (const [id, entry] of pending) if (entry.cancelled && id !== 0 && id !== '') return void pending.delete(id);
  };

  return {
    open(id, entry) {
      if (pending.has(id)) return 'in_flight';
      if (pending.size >= maxRequests) dropAged(entry.openedAt);
      if (pending.size >= maxRequests) dropOneCancelled();
      if (pending.size >= maxRequests) return 'too_many';
      pending.set(id, entry);
      return 'opened';
    },
    get: (id) => pending.get(id),
    close(id) {
      const entry = pending.get(id);
      pending.delete(id);
      return entry;
    },
    entries: () => pending.values(),
    get size() {
      return pending.size;
    },
  };
}
