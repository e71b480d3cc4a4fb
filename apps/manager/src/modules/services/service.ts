import type { ServiceKind, ServiceSettings } from '@authsec/manager-client/contract';
import type { Prisma } from '@authsec/prisma/tenant';
import type { SecretAddress } from '../../ports/secret-store.js';

/** Something that tools call with a credential of the tenant's, or of the person's. */
export interface Service {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly kind: ServiceKind;
  /** Null for a database. */
  readonly baseUrl: string | null;
  readonly settings: ServiceSettings;
  readonly requirement: Prisma.InputJsonObject;
  /** Client ids. */
  readonly applications: readonly string[];
  readonly ownerUserId: string | null;
  readonly rawCredential: boolean;
  readonly publicClients: boolean;
  readonly allowPrivateAddresses: boolean;
  readonly healthPath: string | null;
  readonly enabled: boolean;
  /** The version in the secret store that is in use. */
  readonly secretVersion: number;
  /** The one before it, until `previousSecretUntil`; not always one less. */
  readonly previousSecretVersion: number | null;
  readonly previousSecretUntil: Date | null;
  readonly lastUsedAt: Date | null;
  readonly lastCheckAt: Date | null;
  readonly lastCheckOutcome: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Where the tenant's own secret of a service is kept. */
export function secretAddressOf(tenantId: string, serviceId: string): SecretAddress {
  return { tenantId, collection: 'services', serviceId };
}

/** Where the tokens of one person's own account at a service are kept. */
export function connectionAddressOf(tenantId: string, serviceId: string, ownerId: string): SecretAddress {
  return { tenantId, collection: 'connections', serviceId, ownerId };
}
