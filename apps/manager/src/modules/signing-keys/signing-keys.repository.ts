import type { Prisma } from '@authsec/prisma/tenant';
import type { ListedKey } from './signing-key.js';

type Transaction = Pick<Prisma.TransactionClient, 'signingKey' | '$executeRaw' | '$queryRaw'>;

/** One change of a tenant's keys at a time, whichever replica makes it; until the transaction ends. */
export async function lockSigningKeys(transaction: Transaction): Promise<void> {
  await transaction.$queryRaw`SELECT true AS locked FROM pg_advisory_xact_lock(4820563)`;
}

export function listKeys(transaction: Pick<Transaction, 'signingKey'>): Promise<ListedKey[]> {
  return transaction.signingKey.findMany({
    omit: { sealedPrivateJwk: true, publicJwk: true },
    orderBy: [{ createdAt: 'desc' }, { kid: 'asc' }],
    take: 500,
  });
}

/** Those that sign go on verifying for so long, by the clock of the database. */
export async function retireActiveKeys(transaction: Transaction, overlapSeconds: number): Promise<void> {
  await transaction.$executeRaw`
    UPDATE signing_keys SET status = 'retiring', retires_at = now() + make_interval(secs => ${overlapSeconds}::float8)
     WHERE status = 'active'`;
}

/** Retires those whose time is over; of a retired key nothing is kept that could sign. */
export async function retireOverdueKeys(transaction: Pick<Transaction, '$executeRaw'>): Promise<void> {
  await transaction.$executeRaw`
    UPDATE signing_keys SET status = 'retired', retired_at = now(), sealed_private_jwk = ''::bytea
     WHERE status = 'retiring' AND retires_at <= now()`;
}

/** Retires all at once; resolves to since when, by the clock of the database, tokens are good again. */
export async function revokeKeys(transaction: Transaction): Promise<Date> {
  await transaction.$executeRaw`
    UPDATE signing_keys SET status = 'retired', retired_at = now(), revoked_at = now(), sealed_private_jwk = ''::bytea
     WHERE status <> 'retired'`;
  const [row] = await transaction.$queryRaw<{ revokedAt: Date }[]>`SELECT now()::timestamptz(3) AS "revokedAt"`;
  if (!row) throw new Error('the keys were revoked without a time');
  return row.revokedAt;
}

export async function insertKey(
  transaction: Pick<Transaction, 'signingKey'>,
  key: Prisma.SigningKeyCreateInput,
): Promise<void> {
  await transaction.signingKey.create({ data: key, select: { kid: true } });
}
