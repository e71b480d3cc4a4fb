import { type SecretStore, SecretStoreError } from '../../ports/secret-store.js';
import type { Telemetry, TelemetryEvent } from '../../ports/telemetry.js';

type Outcome = Extract<TelemetryEvent, { kind: 'secret_store_call' }>['outcome'];

/** The same store; how long each call took is recorded with what came of it, and nothing of what went in or out. */
export function observeSecretStore(store: SecretStore, { record }: Pick<Telemetry, 'record'>): SecretStore {
  async function timed<Result>(operation: string, call: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    const end = (outcome: Outcome) =>
      record({
        kind: 'secret_store_call',
        store: store.kind,
        operation,
        outcome,
        seconds: (performance.now() - startedAt) / 1000,
      });
    try {
      const result = await call();
      end('ok');
      return result;
    } catch (error) {
      end(error instanceof SecretStoreError ? error.failure : 'unavailable');
      throw error;
    }
  }

  const { databases } = store;
  return {
    kind: store.kind,
    currentVersion: (...given) => timed('current_version', () => store.currentVersion(...given)),
    read: (...given) => timed('read', () => store.read(...given)),
    write: (...given) => timed('write', () => store.write(...given)),
    destroyVersion: (...given) => timed('destroy_version', () => store.destroyVersion(...given)),
    destroy: (...given) => timed('destroy', () => store.destroy(...given)),
    ensureTenant: (...given) => timed('ensure_tenant', () => store.ensureTenant(...given)),
    health: () => store.health(),
    databases: databases && {
      configure: (...given) => timed('database_configure', () => databases.configure(...given)),
      issue: (...given) => timed('database_issue', () => databases.issue(...given)),
      renew: (...given) => timed('database_renew', () => databases.renew(...given)),
      revoke: (...given) => timed('database_revoke', () => databases.revoke(...given)),
      remove: (...given) => timed('database_remove', () => databases.remove(...given)),
    },
    close: () => store.close(),
  };
}
