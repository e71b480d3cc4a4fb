import type { Prisma } from '@authsec/prisma/tenant';
import { deleteOlder } from '../../db/delete-older.js';

type Database = Prisma.TransactionClient;

export interface NewAttempt {
  readonly stateHash: string;
  readonly identityProviderId: string;
  readonly cookieHash: string;
  readonly sealedRequest: Uint8Array;
  readonly linkUserId: string | null;
  readonly expiresAt: Date;
}

export async function insertAttempt(db: Database, { sealedRequest, ...attempt }: NewAttempt): Promise<void> {
  await db.signInAttempt.create({ data: { ...attempt, sealedRequest: Buffer.from(sealedRequest) } });
}

export interface Attempt {
  readonly stateHash: string;
  readonly sealedRequest: Uint8Array;
  readonly linkUserId: string | null;
}

export interface AttemptKey {
  readonly stateHash: string;
  readonly cookieHash: string;
  readonly identityProviderId: string;
}

/** Uses it up, once, and only for this provider and the browser that began it. */
export async function takeAttempt(db: Database, key: AttemptKey, at: Date): Promise<Attempt | undefined> {
  const [row] = await db.signInAttempt.updateManyAndReturn({
    where: { ...key, usedAt: null, expiresAt: { gt: at } },
    data: { usedAt: at },
    select: { stateHash: true, sealedRequest: true, linkUserId: true },
  });
  return row;
}

/** One that was used, or has expired, of the same browser. */
export async function findSpentAttempt(db: Database, key: AttemptKey): Promise<Attempt | undefined> {
  const row = await db.signInAttempt.findFirst({
    where: { ...key },
    select: { stateHash: true, sealedRequest: true, linkUserId: true },
  });
  return row ?? undefined;
}

/** Who came back. */
export async function storeResult(
  db: Database,
  stateHash: string,
  result: { readonly userId: string; readonly resultHash: string; readonly sealedRequest: Uint8Array },
): Promise<void> {
  await db.signInAttempt.update({
    where: { stateHash },
    data: { ...result, sealedRequest: Buffer.from(result.sealedRequest) },
    select: { stateHash: true },
  });
}

export interface TakenResult extends Attempt {
  readonly userId: string;
}

/** Once, and not after the attempt itself would have ended. */
export async function takeResult(db: Database, resultHash: string, at: Date): Promise<TakenResult | undefined> {
  const [row] = await db.signInAttempt.updateManyAndReturn({
    where: { resultHash, resultUsedAt: null, expiresAt: { gt: at } },
    data: { resultUsedAt: at },
    select: { stateHash: true, sealedRequest: true, linkUserId: true, userId: true },
  });
  return row?.userId ? { ...row, userId: row.userId } : undefined;
}

/** A batch of those that nobody comes back for. */
export function purgeAttempts(db: Database): Promise<void> {
  return deleteOlder(db, { table: 'sign_in_attempts', age: '1 hour' });
}
