import { z } from 'zod';
import { SecretStoreError, type SecretStoreHealth } from '../../ports/secret-store.js';
import { VaultError, type VaultConnection } from './vault-client.js';

export interface VaultHealthOptions {
  readonly health: VaultConnection['health'];
  /** Uses the Manager's own token: tells whether it is let in, also through a standby that passes requests on. */
  readonly probe: () => Promise<unknown>;
  readonly onChange: (health: SecretStoreHealth) => void;
  /** Default 5 s. */
  readonly everyMs?: number | undefined;
  /** While it is degraded; default 1 s. */
  readonly degradedEveryMs?: number | undefined;
}

export interface VaultHealth {
  readonly current: SecretStoreHealth;
  /** Looks now, unless it is looking. */
  look(): Promise<void>;
  close(): void;
}

const healthSchema = z.object({ initialized: z.boolean(), sealed: z.boolean(), standby: z.boolean() });

/** Looks at Vault again and again, so that `/readyz` need not ask. */
export function createVaultHealth(options: VaultHealthOptions): VaultHealth {
  const { health, probe, onChange, everyMs = 5_000, degradedEveryMs = 1_000 } = options;
  let current: SecretStoreHealth = { status: 'degraded', reason: 'not seen yet' };
  let looking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const examine = async (): Promise<string | undefined> => {
    let standby = false;
    try {
      const { body } = await health();
      const seen = healthSchema.safeParse(body);
      if (!seen.success) return 'unreachable';
      if (!seen.data.initialized) return 'uninitialised';
      if (seen.data.sealed) return 'sealed';
      ({ standby } = seen.data);
      await probe();
      return undefined;
    } catch (error) {
      return standby && isUnavailable(error) ? 'standby' : reasonOf(error);
    }
  };
  const see = async (): Promise<void> => {
    clearTimeout(timer);
    const reason = await examine();
    if (closed) return;
    const before = current;
    current = reason === undefined ? { status: 'ok' } : { status: 'degraded', reason };
    if (before.status !== current.status || before.reason !== current.reason) onChange(current);
    timer = setTimeout(() => void look(), reason === undefined ? everyMs : degradedEveryMs);
    timer.unref();
  };
  const look = (): Promise<void> => {
    looking ??= see().finally(() => (looking = undefined));
    return looking;
  };
  return {
    get current() {
      return current;
    },
    look,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

function isUnavailable(error: unknown): boolean {
  return error instanceof SecretStoreError && error.failure === 'unavailable';
}

function reasonOf(error: unknown): string {
  if (error instanceof VaultError && ['timeout', 'sealed'].includes(error.refusal)) return error.refusal;
  if (isUnavailable(error)) return 'unreachable';
  return 'permission denied';
}
