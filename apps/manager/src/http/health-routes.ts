import { Router } from 'express';
import type { SecretStoreHealth } from '../ports/secret-store.js';

export interface HealthProbes {
  /** Rejects where it does not answer. */
  readonly database: () => Promise<unknown>;
  readonly secretStore: () => SecretStoreHealth;
  readonly stopping: AbortSignal;
  /** Default 2 s. */
  readonly databaseTimeoutMs?: number;
}

interface Readiness {
  readonly status: 'ready' | 'not_ready';
  readonly dependencies: { readonly database: 'ok' | 'down'; readonly secret_store: 'ok' | 'degraded' };
  /** Of what is not ok, in words of our own. */
  readonly reasons?: Readonly<Record<string, string>>;
}

/**
 * `/healthz`: the process answers. `/readyz`: it should be given requests (its database answers, it is not stopping). A
 * degraded secret store is told there and does not make it unready: who needs no secret is served.
 */
export function createHealthRoutes(probes: HealthProbes): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router.get('/healthz', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'ok' });
  });
  router.get('/readyz', async (_request, response) => {
    const readiness = await judge(probes);
    response
      .status(readiness.status === 'ready' ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json(readiness);
  });
  return router;
}

async function judge({ database, secretStore, stopping, databaseTimeoutMs = 2_000 }: HealthProbes): Promise<Readiness> {
  const { status: store, reason } = secretStore();
  const answers = stopping.aborted || (await settlesWithin(databaseTimeoutMs, database));
  const reasons = {
    ...(stopping.aborted && { manager: 'stopping' }),
    ...(!answers && { database: 'does not answer' }),
    ...(store === 'degraded' && { secret_store: reason ?? 'degraded' }),
  };
  return {
    status: answers && !stopping.aborted ? 'ready' : 'not_ready',
    dependencies: { database: answers ? 'ok' : 'down', secret_store: store },
    ...(Object.keys(reasons).length > 0 && { reasons }),
  };
}

async function settlesWithin(timeoutMs: number, work: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([work().then(() => true), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
