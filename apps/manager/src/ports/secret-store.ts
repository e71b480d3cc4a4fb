/** What a secret belongs to; its place in a store is made from these ids and from nothing that people write. */
export interface SecretAddress {
  readonly tenantId: string;
  /** `services`: of the tenant. `connections`: one person's, where `ownerId` is theirs. */
  readonly collection: 'services' | 'connections';
  /** UUID of the service configuration. */
  readonly serviceId: string;
  /** UUID of the person, for `connections`. */
  readonly ownerId?: string;
}

/** Small and flat: names to text. */
export type SecretValue = Readonly<Record<string, string>>;

export interface StoredSecret {
  readonly value: SecretValue;
  /** Counts from 1. */
  readonly version: number;
}

/**
 * `unavailable`: sealed, standby, hung, unreachable, or the circuit is open. `denied`: it answers, and does not let us.
 * `missing`: no such secret or version, or it was deleted. `conflict`: check-and-set found another version.
 * `foreign`: what it answered is not of this address. `unsupported`: this store cannot do it. `database`: it answers, and
 * the database in which it makes accounts does not, or does not let it.
 */
export type SecretStoreFailure =
  'unavailable' | 'denied' | 'missing' | 'conflict' | 'foreign' | 'unsupported' | 'database';

/** `message` is for the operator's log: never a value, a token or a lease id. */
export class SecretStoreError extends Error {
  override readonly name = 'SecretStoreError';

  constructor(
    readonly failure: SecretStoreFailure,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Where the credentials of services are kept. Every call settles within 1.5 s and rejects with SecretStoreError. */
export interface SecretStore {
  readonly kind: 'vault' | 'sealed';
  /** The newest version unless told; a deleted one is `missing`. */
  read(address: SecretAddress, options?: { readonly version?: number }): Promise<StoredSecret>;
  /** The number of the newest version, a deleted one too; 0 where there is none. What `write` expects. */
  currentVersion(address: SecretAddress): Promise<number>;
  /** Check-and-set: `expectedVersion` is that of the newest one, 0 where there must be none. Gives the new version. */
  write(address: SecretAddress, value: SecretValue, options: { readonly expectedVersion: number }): Promise<number>;
  /** Deletes one version for good; it may be gone already. */
  destroyVersion(address: SecretAddress, version: number): Promise<void>;
  /** Deletes all versions for good; there may be none. */
  destroy(address: SecretAddress): Promise<void>;
  /** Prepares the store for a tenant, once provisioned; asked again it changes nothing. */
  ensureTenant(tenantId: string): Promise<void>;
  /** What `/readyz` says of it, from what was last seen: never waits. */
  health(): SecretStoreHealth;
  /** Undefined where there are no dynamic credentials. */
  readonly databases: DynamicDatabases | undefined;
  close(): Promise<void>;
}

export interface SecretStoreHealth {
  readonly status: 'ok' | 'degraded';
  /** For the operator: `sealed`, `standby`, `uninitialised`, `unreachable`, `timeout`, `permission denied`; undefined when ok. */
  readonly reason?: string;
}

/** The account by which the store makes others, and where; it goes in and does not come out. */
export interface DatabaseAccount {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  readonly tls: 'disable' | 'require' | 'verify-full';
  /** SQL with `{{name}}`, `{{password}}` and `{{expiration}}`. */
  readonly creationStatements: readonly string[];
  readonly revocationStatements: readonly string[];
  readonly ttlSeconds: number;
}

export interface DatabaseLease {
  readonly leaseId: string;
  readonly username: string;
  readonly password: string;
  readonly leaseSeconds: number;
}

/** Accounts that the store makes for one use and takes away again (PostgreSQL). */
export interface DynamicDatabases {
  configure(address: SecretAddress, account: DatabaseAccount): Promise<void>;
  issue(address: SecretAddress): Promise<DatabaseLease>;
  /** The seconds that it now lives. */
  renew(address: SecretAddress, leaseId: string, seconds: number): Promise<number>;
  /** It may be over already. */
  revoke(address: SecretAddress, leaseId: string): Promise<void>;
  /** Takes away the account and whatever lives of it. */
  remove(address: SecretAddress): Promise<void>;
}
