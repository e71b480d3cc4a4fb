import { randomBytes } from 'node:crypto';
import { Prisma } from '@authsec/prisma/tenant';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import { AppError } from '../../errors/app-error.js';
import { assertNewApplication, isNative, type GrantType, type NewApplication } from './application.js';
import { findActiveByClientId, insertApplication, listKnownClientIds } from './applications.repository.js';
import { toStoredKey } from './client-keys.js';
import { generateClientSecret, hashClientSecret } from './client-secret.js';

export interface CreatedApplication {
  readonly id: string;
  readonly clientId: string;
  /** Shown this once, stored only as a hash; undefined for one that has none. */
  readonly clientSecret: string | undefined;
}

/** AppError 'invalid_request' with the fields, 'conflict' where the client id is taken. */
export async function createApplication(db: TenantDatabase, input: NewApplication): Promise<CreatedApplication> {
  assertNewApplication(input);
  const { keys } = input;
  const clientSecret = input.publicClient || keys ? undefined : generateClientSecret();
  const redirectUris = [...new Set(input.redirectUris ?? [])];
  try {
    const { id, clientId } = await insertApplication(db, {
      clientId: input.clientId ?? `app_${randomBytes(12).toString('base64url')}`,
      name: input.name.trim(),
      clientSecretHash: clientSecret === undefined ? null : hashClientSecret(clientSecret),
      tokenEndpointAuthMethod: authMethodOf(input),
      ...(keys && { jwks: { keys: keys.map(toStoredKey) } as Prisma.InputJsonObject }),
      applicationType: isNative(redirectUris) ? 'native' : 'web',
      redirectUris,
      grantTypes: [...(input.grantTypes ?? defaultGrantTypes(input))],
      completionPage: input.completionPage ?? false,
      pasteToken: input.pasteToken ?? false,
      resourceUrl: input.resourceUrl ?? null,
      scopes: [...new Set(input.scopes ?? [])],
    });
    return { id, clientId, clientSecret };
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002') {
      throw new AppError('conflict', 'the client id is taken', { cause: error });
    }
    throw error;
  }
}

/** A disabled application is not found. */
export const findActiveApplication = findActiveByClientId;

/** Those of the client ids that no application of the tenant has. */
export async function findUnknownClientIds(db: TenantDatabase, clientIds: readonly string[]): Promise<string[]> {
  const known = new Set(await listKnownClientIds(db, clientIds));
  return clientIds.filter((clientId) => !known.has(clientId));
}

function authMethodOf({ publicClient, keys }: NewApplication): string {
  if (publicClient) return 'none';
  return keys ? 'private_key_jwt' : 'client_secret_basic';
}

function defaultGrantTypes(input: NewApplication): GrantType[] {
  const signsPeopleIn = input.completionPage || (input.redirectUris ?? []).length > 0;
  return [
    ...(signsPeopleIn ? (['authorization_code'] as const) : []),
    ...(input.publicClient ? [] : (['client_credentials'] as const)),
  ];
}
