import type { Prisma } from '@authsec/prisma/tenant';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { TenantDatabase } from '../db/tenant-clients.js';
import type { SealedValue, Sealer } from '../ports/sealer.js';

export interface SigningKeys {
  /** Private JWKs that sign or may still be verified with; the active ones first, the newest of them first. */
  readonly jwks: { readonly keys: JWK[] };
  /** The same without what is private: for publication. */
  readonly publicJwks: { readonly keys: JWK[] };
}

export type SigningKeyAlgorithm = 'ES256' | 'EdDSA';

/** A new row of signing_keys, its `kid` the RFC 7638 thumbprint, its private JWK sealed to tenant and kid. */
export async function generateSigningKey(options: {
  readonly tenantId: string;
  readonly sealer: Sealer;
  readonly alg?: SigningKeyAlgorithm;
}): Promise<Prisma.SigningKeyCreateInput> {
  const { tenantId, sealer, alg = 'ES256' } = options;
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const privateJwk = { ...jwk, kid, alg, use: 'sig' };
  return {
    kid,
    alg,
    publicJwk: withoutPrivate(privateJwk) as Prisma.InputJsonObject,
    sealedPrivateJwk: sealer.seal(JSON.stringify(privateJwk), additionalData(tenantId, kid)),
  };
}

/** Active keys, and retiring ones until their time is over. Public ones are derived from what was sealed, not from the row's plain column. */
export async function loadSigningKeys(db: TenantDatabase, tenantId: string, sealer: Sealer): Promise<SigningKeys> {
  const rows = await db.signingKey.findMany({
    where: {
      OR: [{ status: 'active' }, { status: 'retiring', OR: [{ retiresAt: null }, { retiresAt: { gt: new Date() } }] }],
    },
    orderBy: [{ status: 'asc' }, { createdAt: 'desc' }],
  });
  const keys = rows.map(
    (row) => JSON.parse(sealer.open(row.sealedPrivateJwk, additionalData(tenantId, row.kid)).toString('utf8')) as JWK,
  );
  return { jwks: { keys }, publicJwks: { keys: keys.map(withoutPrivate) } };
}

/** Those of every key, also of one that is retired. */
export async function* listSealedSigningKeys(db: TenantDatabase, tenantId: string): AsyncGenerator<SealedValue> {
  for (const { kid, sealedPrivateJwk: sealed } of await db.signingKey.findMany()) {
    yield {
      sealed,
      additionalData: additionalData(tenantId, kid),
      async replace(next) {
        const where = { kid, sealedPrivateJwk: sealed };
        return (await db.signingKey.updateMany({ where, data: { sealedPrivateJwk: next } })).count > 0;
      },
    };
  }
}

function withoutPrivate({ kty, crv, x, y, kid, alg, use }: JWK): JWK {
  return { kty, crv, x, ...(y && { y }), kid, alg, use };
}

function additionalData(tenantId: string, kid: string): string {
  return `${tenantId}/signing_keys/${kid}`;
}

/** Makes the first key of a tenant that has none that signs. */
export async function ensureSigningKey(db: TenantDatabase, tenantId: string, sealer: Sealer): Promise<void> {
  if ((await db.signingKey.count({ where: { status: 'active' } })) > 0) return;
  const data = await generateSigningKey({ tenantId, sealer });
  // Of two that come at once, the index signing_keys_one_active lets one in.
  await db.signingKey.createMany({ data, skipDuplicates: true });
}
