import { type SecretAddress, SecretStoreError } from '../../ports/secret-store.js';

declare const checked: unique symbol;
/** A path below `/v1/`, of checked segments only: node-vault escapes nothing. */
export type VaultPath = string & { readonly [checked]: true };

/** Where AuthSec's things are; each may hold slashes. */
export interface VaultMounts {
  /** KV version 2. */
  readonly secrets: string;
  readonly databases: string;
  /** The AppRole method that holds one role a tenant and nothing else. */
  readonly tenants: string;
}

const segment = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const tenantId = /^[a-z][a-z0-9-]{1,39}$/;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Parts may hold slashes; each segment must need no escaping. */
export function vaultPath(...parts: readonly string[]): VaultPath {
  const path = parts.join('/');
  assertVaultPath(path);
  return path;
}

export function assertVaultPath(path: string): asserts path is VaultPath {
  if (typeof path !== 'string' || path.length > 1_000 || !path.split('/').every((part) => segment.test(part))) {
    throw new SecretStoreError('denied', 'that is no path of a secret');
  }
}

export function assertTenantId(value: string): void {
  if (typeof value !== 'string' || !tenantId.test(value)) throw notAnAddress();
}

/** Throws SecretStoreError `denied` for what is not an address, before anything is asked. */
export function assertAddress({ tenantId, collection, serviceId, ownerId }: SecretAddress): void {
  assertTenantId(tenantId);
  const ids = collection === 'connections' ? [serviceId, ownerId] : [serviceId];
  const known = collection === 'connections' || (collection === 'services' && ownerId === undefined);
  if (!known || !ids.every((id) => typeof id === 'string' && uuid.test(id))) throw notAnAddress();
}

/** `<tenant>/services/<service>` or `<tenant>/connections/<service>/<owner>`: also what is written into the secret. */
export function placeOf(address: SecretAddress): string {
  assertAddress(address);
  const { tenantId, collection, serviceId, ownerId } = address;
  return [tenantId, collection, serviceId, ...(ownerId === undefined ? [] : [ownerId])].join('/');
}

/** The name of a service's connection and role in the database engine: no tenant's id holds a dot. */
export function databaseNameOf(address: SecretAddress): string {
  assertAddress(address);
  if (address.collection !== 'services') throw notAnAddress();
  return `${address.tenantId}.${address.serviceId}`;
}

function notAnAddress(): SecretStoreError {
  return new SecretStoreError('denied', 'that is no address of a secret');
}
