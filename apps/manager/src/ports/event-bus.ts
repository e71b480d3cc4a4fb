/** Wakes whoever waits for a tenant's changes, on every replica. A wake may come for nothing, and one may be lost. */
export interface EventBus {
  /** Never rejects for a lost connection: who waits looks again when its wait is over. */
  publish(tenantId: string): Promise<void>;
  /** Returns the unsubscribe function. */
  subscribe(tenantId: string, wake: () => void): () => void;
  close(): Promise<void>;
}
