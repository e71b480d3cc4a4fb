import { Provider } from 'oidc-provider';
import type { TenantDatabase } from '../db/tenant-clients.js';
import { hashIdentifier } from '../db/hash-identifier.js';

/**
 * A rotated refresh token is good once (RFC 9700), and its second use ends the login. A client that lost the answer, to
 * the network or to `kill -9`, would end its own: so it may name its attempt by a random `refresh_attempt` that it kept
 * before it asked, and ask again under the same name for as long as what it was given then was not used.
 */
export function attemptInHand(): string | undefined {
  const body = Provider.ctx?.oidc?.body;
  const attempt = body?.['refresh_attempt'];
  return typeof attempt === 'string' && /^[\w-]{22,128}$/.test(attempt) ? hashIdentifier(attempt) : undefined;
}

/** Whether the token was spent by this very attempt, and nothing that came of it was used. */
export async function isSameAttempt(db: TenantDatabase, id: string, attempt: string | undefined): Promise<boolean> {
  if (attempt === undefined) return false;
  const rows = await db.$queryRaw<unknown[]>`
    SELECT 1 FROM provider_models spent
     WHERE spent.model = 'RefreshToken' AND spent.id_hash = ${hashIdentifier(id)}
       AND spent.consumed_at IS NOT NULL AND spent.payload->>'attempt' = ${attempt}
       AND NOT EXISTS (
         SELECT 1 FROM provider_models later
          WHERE later.model = 'RefreshToken' AND later.grant_id = spent.grant_id AND later.consumed_at IS NOT NULL
            AND coalesce((later.payload->>'rotations')::int, 0) > coalesce((spent.payload->>'rotations')::int, 0))`;
  return rows.length === 1;
}

/** Spends the token, or takes back what the same attempt was given before; false for every other second use. */
export async function spendRefreshToken(db: TenantDatabase, id: string, attempt: string | undefined): Promise<boolean> {
  const idHash = hashIdentifier(id);
  const spent = await db.$executeRaw`
    UPDATE provider_models
       SET consumed_at = now(), payload = payload || jsonb_strip_nulls(jsonb_build_object('attempt', ${attempt ?? null}::text))
     WHERE model = 'RefreshToken' AND id_hash = ${idHash} AND consumed_at IS NULL`;
  if (spent === 1) return true;
  if (!(await isSameAttempt(db, id, attempt))) return false;
  await db.$executeRaw`
    DELETE FROM provider_models later USING provider_models spent
     WHERE spent.model = 'RefreshToken' AND spent.id_hash = ${idHash}
       AND later.model = 'RefreshToken' AND later.grant_id = spent.grant_id AND later.consumed_at IS NULL
       AND coalesce((later.payload->>'rotations')::int, 0) > coalesce((spent.payload->>'rotations')::int, 0)`;
  return true;
}
