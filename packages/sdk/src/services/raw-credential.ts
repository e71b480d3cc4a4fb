import { inspect } from 'node:util';
import type { ServiceCredential } from '@authsec/manager-client';
import { redacted } from './redactor.js';

export type CredentialType = ServiceCredential['type'];

/** A service, without anything that is secret. */
export interface ServiceDescription {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  /** Null for a database. */
  readonly base_url: string | null;
}

interface Revealing<Credential> {
  readonly service: ServiceDescription;
  /** The value, plain. Throws `credential_escaped` after the call, and after a lease. */
  reveal(): Credential;
  /** Ends it before the call does. */
  end(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
  /** `[redacted]`. */
  toString(): string;
}

/**
 * A credential as a tool's own code may use it during one call: each field by its name, `[redacted]` wherever it is
 * printed, serialised or copied whole. After the call, and after the lease of an account that was made for it, each use throws
 * `credential_escaped`.
 */
export type RawCredential<Type extends CredentialType = CredentialType> = Type extends CredentialType
  ? Readonly<Extract<ServiceCredential, { type: Type }>> & Revealing<Extract<ServiceCredential, { type: Type }>>
  : never;

/** `assertUsable` throws where the call is over. */
export function createRawCredential(
  credential: ServiceCredential,
  lifetime: {
    readonly service: ServiceDescription;
    readonly assertUsable: () => void;
    readonly end: () => Promise<void>;
  },
): RawCredential {
  return new Raw(credential, lifetime) as unknown as RawCredential;
}

type Lifetime = Parameters<typeof createRawCredential>[1];

/** Its fields are those of the prototype, and its value is private: no copy, spread or clone has it. */
class Raw {
  readonly #credential: ServiceCredential;
  readonly #lifetime: Lifetime;

  constructor(credential: ServiceCredential, lifetime: Lifetime) {
    this.#credential = credential;
    this.#lifetime = lifetime;
    Object.freeze(this);
  }

  get service(): ServiceDescription {
    return this.#lifetime.service;
  }

  reveal(): ServiceCredential {
    this.#lifetime.assertUsable();
    return { ...this.#credential };
  }

  end(): Promise<void> {
    return this.#lifetime.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#lifetime.end();
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [Symbol.toPrimitive](): string {
    return redacted;
  }

  [inspect.custom](): string {
    return `RawCredential { ${this.#credential.type}: ${redacted} }`;
  }

  static {
    const fields = ['type', 'name', 'value', 'username', 'password', 'token', 'host', 'port', 'database', 'tls'];
    for (const field of [...fields, 'certificate', 'private_key', 'certificate_authority']) {
      Object.defineProperty(this.prototype, field, {
        get(this: Raw) {
          this.#lifetime.assertUsable();
          return (this.#credential as Readonly<Record<string, unknown>>)[field];
        },
      });
    }
    // `inspect` that is told to call getters calls those of the prototypes of classes, which it knows by this name.
    Object.defineProperty(this.prototype, 'constructor', { value: Object });
  }
}
