import { inspect } from 'node:util';
import { AuthSecError } from '../authsec-error.js';
import { callOf } from '../guard/caller-context.js';
import type { UserInfo } from '../session/caller-session.js';
import { callContext, type ToolCallContext } from './call-context.js';
import { type CallServices, callServicesOf } from './call-services.js';
import type { RawCredential, ServiceDescription } from './raw-credential.js';
import { redacted } from './redactor.js';

/** A token that prints `[redacted]` and is of no use after its call. */
export interface ServiceToken {
  /** Throws `credential_escaped` after the call. */
  reveal(): string;
  /** `[redacted]`. */
  toString(): string;
}

/** What the Python package calls `ServiceCredentials`; the secret is in `credentials`, and only there. */
export interface ServiceAccessCredentials {
  readonly service_id: string;
  readonly service_name: string;
  readonly service_type: string;
  readonly auth_type: string;
  readonly url: string | null;
  readonly credentials: RawCredential;
  readonly metadata: Readonly<Record<string, never>>;
  /** RFC 3339. */
  readonly retrieved_at: string;
}

/**
 * The form of the Python package, for those who come from there; `context.services` is the shorter way. Credentials and
 * tokens are had only of services that allow it (`raw_credential`), and only during the call.
 */
export class ServiceAccessSDK {
  readonly #opened: CallServices;

  /** For the call that `context` belongs to, or the one that runs now. Throws `not_guarded` outside of one. */
  constructor(context: Pick<ToolCallContext, 'services'> = callContext()) {
    const opened = callServicesOf(context?.services);
    if (!opened) throw new TypeError('context: must be that of a handler, or be left out');
    this.#opened = opened;
  }

  async getServiceCredentials(name: string): Promise<ServiceAccessCredentials> {
    const credentials = await this.#opened.services.credential(name);
    const { service } = credentials;
    return {
      service_id: service.id,
      service_name: service.name,
      service_type: service.kind,
      auth_type: credentials.type,
      url: service.base_url,
      credentials,
      metadata: {},
      retrieved_at: new Date().toISOString(),
    };
  }

  /** Throws a TypeError where the credential is a pair or a certificate, and no token. */
  async getServiceToken(name: string): Promise<ServiceToken> {
    const credential = await this.#opened.services.credential(name);
    const read = (): string | undefined => {
      const value = credential.reveal();
      if (value.type === 'bearer') return value.token;
      return value.type === 'header' || value.type === 'query' ? value.value : undefined;
    };
    if (read() === undefined) {
      await credential.end();
      throw new TypeError(`the credential of ${name} is not a token`);
    }
    return new Token(() => read() ?? '');
  }

  /** For whom the service is used: the caller of the tool, where they may use it now. */
  async getServiceUserDetails(name: string): Promise<UserInfo & { readonly service: ServiceDescription }> {
    const service = await this.#opened.describe(name);
    const user = callOf(undefined)?.user;
    if (!user) throw new AuthSecError('not_signed_in', 'nobody is signed in');
    return { ...user, service };
  }

  /** Whether the Manager answers and the caller's login still is one; within 2.3 s, and never rejects. */
  async healthCheck(): Promise<{ readonly status: 'healthy' | 'unhealthy'; readonly reason?: string }> {
    try {
      const isLive = await this.#opened.check();
      return isLive ? { status: 'healthy' } : { status: 'unhealthy', reason: 'session_expired' };
    } catch (error) {
      return { status: 'unhealthy', reason: error instanceof AuthSecError ? error.code : 'manager_unavailable' };
    }
  }

  /** Everything ends with the call; this is there so that code which calls it goes on working. */
  async close(): Promise<void> {}
}

class Token implements ServiceToken {
  readonly #read: () => string;

  constructor(read: () => string) {
    this.#read = read;
    Object.freeze(this);
  }

  reveal(): string {
    return this.#read();
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
    return `ServiceToken { ${redacted} }`;
  }
}
