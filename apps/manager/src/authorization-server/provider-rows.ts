import { hashIdentifier } from '../db/hash-identifier.js';
import type { TenantDatabase } from '../db/tenant-clients.js';

/** One stored thing of oidc-provider, without its identifier. */
export interface ProviderRow {
  readonly payload: Record<string, unknown>;
  readonly consumedAt: Date | null;
  /** Consumed within the last three seconds, by the clock of the database. */
  readonly justConsumed: boolean | null;
}

export interface NewProviderRow {
  readonly id: string;
  readonly payload: object;
  readonly grantId: string | undefined;
  readonly uid: string | undefined;
  readonly expiresInSeconds: number | undefined;
}

/** Writes, or with `once` only where there is none yet; resolves to whether it wrote. */
export async function writeRow(
  db: TenantDatabase,
  model: string,
  row: NewProviderRow,
  { once }: { readonly once: boolean },
): Promise<boolean> {
  const idHash = hashIdentifier(row.id);
  const uidHash = row.uid === undefined ? null : hashIdentifier(row.uid);
  const payload = JSON.stringify(row.payload);
  const grantId = row.grantId ?? null;
  const seconds = row.expiresInSeconds ?? null;
  const written = once
    ? await db.$executeRaw`
        INSERT INTO provider_models (model, id_hash, payload, grant_id, uid_hash, expires_at)
        VALUES (${model}, ${idHash}, ${payload}::jsonb, ${grantId}, ${uidHash}, now() + make_interval(secs => ${seconds}::float8))
        ON CONFLICT DO NOTHING`
    : await db.$executeRaw`
        INSERT INTO provider_models (model, id_hash, payload, grant_id, uid_hash, expires_at)
        VALUES (${model}, ${idHash}, ${payload}::jsonb, ${grantId}, ${uidHash}, now() + make_interval(secs => ${seconds}::float8))
        ON CONFLICT (model, id_hash) DO UPDATE
          SET payload = excluded.payload, grant_id = excluded.grant_id, uid_hash = excluded.uid_hash, expires_at = excluded.expires_at`;
  return written === 1;
}

export async function readRow(db: TenantDatabase, model: string, id: string): Promise<ProviderRow | undefined> {
  const rows = await db.$queryRaw<ProviderRow[]>`
    SELECT payload, consumed_at AS "consumedAt", consumed_at > now() - interval '3 seconds' AS "justConsumed"
      FROM provider_models WHERE model = ${model} AND id_hash = ${hashIdentifier(id)}`;
  return rows[0];
}

export async function readRowByUid(db: TenantDatabase, model: string, uid: string): Promise<ProviderRow | undefined> {
  const rows = await db.$queryRaw<ProviderRow[]>`
    SELECT payload, consumed_at AS "consumedAt", false AS "justConsumed"
      FROM provider_models WHERE model = ${model} AND uid_hash = ${hashIdentifier(uid)} LIMIT 1`;
  return rows[0];
}

/** Resolves to false where another request was first: of any number at the same moment exactly one gets true. */
export async function consumeRow(db: TenantDatabase, model: string, id: string): Promise<boolean> {
  const consumed = await db.$executeRaw`
    UPDATE provider_models SET consumed_at = now()
    WHERE model = ${model} AND id_hash = ${hashIdentifier(id)} AND consumed_at IS NULL`;
  return consumed === 1;
}

/** Resolves to whether it was there: of any number at the same moment exactly one gets true. */
export async function deleteRow(db: TenantDatabase, model: string, id: string): Promise<boolean> {
  const deleted = await db.$executeRaw`
    DELETE FROM provider_models WHERE model = ${model} AND id_hash = ${hashIdentifier(id)}`;
  return deleted === 1;
}

export async function deleteRowsOfGrant(db: TenantDatabase, model: string, grantId: string): Promise<void> {
  await db.$executeRaw`DELETE FROM provider_models WHERE model = ${model} AND grant_id = ${grantId}`;
}
