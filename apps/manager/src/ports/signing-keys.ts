import type { Prisma } from '@authsec/prisma/tenant';
import type { JWK } from 'jose';
import type { TenantDatabase } from '../db/tenant-clients.js';

/** A tenant's private keys that sign, or may still be verified with; the one that signs now first. */
export type LoadPrivateKeys = (tenantId: string, db: TenantDatabase) => Promise<readonly JWK[]>;

/** A new key, its private part sealed to the tenant. */
export type GenerateSigningKey = (tenantId: string) => Promise<Prisma.SigningKeyCreateInput>;
