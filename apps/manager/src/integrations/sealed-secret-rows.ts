import type { Prisma } from '@authsec/prisma/tenant';
import type { TenantDatabase } from '../db/tenant-clients.js';
import type { SecretAddress } from '../ports/secret-store.js';

/** What the rows of one secret have in common. */
export interface SecretPlace {
  readonly collection: SecretAddress['collection'];
  readonly serviceId: string;
  /** The zero UUID for a secret of the tenant's. */
  readonly ownerId: string;
}

export interface SealedVersion {
  readonly version: number;
  /** Of the sealing key that wraps the data key. */
  readonly keyId: string;
  readonly sealedKey: Uint8Array<ArrayBuffer>;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

type Database = Pick<TenantDatabase, 'sealedSecret' | '$executeRaw'>;

/** Undefined where there is no such version, or it was destroyed; the newest unless told. */
export async function findVersion(
  db: Database,
  place: SecretPlace,
  version: number | undefined,
): Promise<SealedVersion | undefined> {
  const where = { ...place, ...(version !== undefined && { version }) };
  const row = await db.sealedSecret.findFirst({ where, orderBy: { version: 'desc' } });
  if (!row?.sealed || !row.sealedKey) return undefined;
  return { version: row.version, keyId: row.keyId, sealedKey: row.sealedKey, sealed: row.sealed };
}

/** 0 where there is none; a destroyed version counts. */
export async function newestVersion(db: Database, place: SecretPlace): Promise<number> {
  const row = await db.sealedSecret.findFirst({
    where: place,
    orderBy: { version: 'desc' },
    select: { version: true },
  });
  return row?.version ?? 0;
}

/** One statement, which writes only while the version before it is the newest. */
export async function insertVersion(db: Database, place: SecretPlace, next: SealedVersion): Promise<boolean> {
  const { collection, serviceId, ownerId } = place;
  const { version, keyId, sealedKey, sealed } = next;
  const count = await db.$executeRaw`
    INSERT INTO sealed_secrets (collection, service_id, owner_id, version, key_id, sealed_key, sealed)
    SELECT ${collection}, ${serviceId}::uuid, ${ownerId}::uuid, ${version}::int, ${keyId}, ${sealedKey}, ${sealed}
     WHERE ${version - 1}::int = coalesce((
       SELECT max(version) FROM sealed_secrets
        WHERE collection = ${collection} AND service_id = ${serviceId}::uuid AND owner_id = ${ownerId}::uuid), 0)
    ON CONFLICT DO NOTHING`;
  return count > 0;
}

/** Its number stays, so that none is given twice. */
export async function destroyOneVersion(db: Database, place: SecretPlace, version: number): Promise<void> {
  const where: Prisma.SealedSecretWhereInput = { ...place, version, destroyedAt: null };
  await db.sealedSecret.updateMany({ where, data: { sealed: null, sealedKey: null, destroyedAt: new Date() } });
}

export async function deleteVersions(db: Database, place: SecretPlace): Promise<void> {
  await db.sealedSecret.deleteMany({ where: place });
}
