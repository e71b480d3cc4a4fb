import type { Logger } from '../author-log.js';
import { AuthSecError } from '../authsec-error.js';
import type { Call } from '../guard/caller-context.js';
import { type HeldCredential, holdCredential } from './held-credential.js';
import { createCredentialIssuer, type CredentialIssuer } from './issue-credential.js';
import {
  createRawCredential,
  type CredentialType,
  type RawCredential,
  type ServiceDescription,
} from './raw-credential.js';
import { createServiceFetch, type ServiceFetch } from './service-fetch.js';
import type { ServiceSource } from './service-source.js';

/** The services that the tenant set up, used by a tool in the name of whoever calls it. */
export interface Services {
  /**
   * A `fetch` that is bound to the service and puts the credential on its requests; the tool never sees it. Whether the
   * caller may is decided now. Rejects with AuthSecError (`service_denied`, `service_not_connected`, ...).
   */
  fetch(service: string): Promise<ServiceFetch>;
  /**
   * The credential itself, for what needs it, such as a database driver: only where the service allows it. Ends with the
   * call. `type` says which one is meant; another one is a TypeError.
   */
  credential<Type extends CredentialType = CredentialType>(service: string, type?: Type): Promise<RawCredential<Type>>;
}

const openedBy = new WeakMap<Services, CallServices>();

/** What stands behind the `services` of a context. */
export function callServicesOf(services: Services): CallServices | undefined {
  return openedBy.get(services);
}

/** The services of one call. */
export interface CallServices {
  readonly services: Services;
  /** Aborts when the call is over. */
  readonly signal: AbortSignal;
  /** The last failure that the tool was given. */
  failure(): AuthSecError | undefined;
  readonly check: CredentialIssuer['check'];
  /** What may be known of a service, by those who may use it now. */
  describe(service: string): Promise<ServiceDescription>;
  /** The call is over: what it got is of no use any more, and its leases end. A cancelled tool may still run. */
  end(mayStillRun?: boolean): void;
}

export function createCallServices(options: {
  readonly call: Call;
  readonly tool: string;
  readonly source: ServiceSource | undefined;
  readonly log: Logger;
}): CallServices {
  const { tool, source, log } = options;
  const over = new AbortController();
  const held = new Set<HeldCredential>();
  const issuer = createCredentialIssuer({ ...options, over: over.signal });
  let failure: AuthSecError | undefined;

  function assertUsable(service: string): void {
    if (!over.signal.aborted) return;
    log.warn(`${tool}: a credential of ${service} was used after its call: await what uses it`);
    throw over.signal.reason;
  }

  async function hold(service: string, how: Parameters<CredentialIssuer['issue']>[1]): Promise<HeldCredential> {
    assertUsable(service);
    const credential = holdCredential(await issuer.issue(service, how), { source, log, renewLease: issuer.renewLease });
    if (over.signal.aborted) void credential.end();
    else held.add(credential);
    assertUsable(service);
    return credential;
  }

  /** Another one for the same service; of the one before nothing is kept that this one has too. */
  async function replace(before: HeldCredential): Promise<HeldCredential> {
    const { service } = before.issued;
    const credential = await hold(service.name, {});
    if (credential.redactor === before.redactor && credential.network === before.network) {
      held.delete(before);
      void before.end();
    }
    return credential;
  }

  async function openFetch(service: string): Promise<ServiceFetch> {
    let current = await hold(service, {});
    let renewing: Promise<HeldCredential> | undefined;
    let triedPrevious = false;

    return createServiceFetch({
      service,
      over: over.signal,
      log,
      async current() {
        assertUsable(service);
        if (current.isFresh()) return current;
        renewing ??= replace(current).finally(() => (renewing = undefined));
        return (current = await renewing);
      },
      async previous() {
        if (triedPrevious) return undefined;
        triedPrevious = true;
        try {
          return (current = await hold(service, { previous: true }));
        } catch (error) {
          assertUsable(service);
          log.debug(`${service} answered 401, and its previous secret is not to be had`, { reason: String(error) });
          return undefined;
        }
      },
    });
  }

  async function openRaw(service: string, type: CredentialType | undefined): Promise<RawCredential> {
    const credential = await hold(service, { raw: true });
    const { credential: value, service: about } = credential.issued;
    const end = (): Promise<void> => {
      held.delete(credential);
      return credential.end();
    };
    if (type !== undefined && value.type !== type) {
      await end();
      throw new TypeError(`the credential of ${service} is of type ${value.type}, not ${type}`);
    }
    return createRawCredential(value, {
      service: { id: about.id, name: about.name, kind: about.kind, base_url: about.base_url },
      assertUsable() {
        assertUsable(service);
        if (!held.has(credential)) throw new AuthSecError('credential_escaped', `a credential of ${service} was ended`);
        if (credential.issued.lease_id !== null && !credential.isFresh()) {
          throw new AuthSecError(
            'credential_escaped',
            `the lease of a credential of ${service} is over: ask for another`,
          );
        }
      },
      end,
    });
  }

  async function noting<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof AuthSecError) failure = error;
      throw error;
    }
  }

  const services: Services = {
    async fetch(service) {
      const fetch = await noting(openFetch(service));
      return (input, init) => noting(fetch(input, init));
    },
    credential: (service, type) => noting(openRaw(service, type)) as Promise<never>,
  };

  function end(mayStillRun = false): void {
    if (over.signal.aborted) return;
    source?.closed.removeEventListener('abort', closed);
    over.abort(new AuthSecError('credential_escaped', `${tool}: its call is over, and so is what it got for it`));
    for (const credential of held) void credential.end(mayStillRun);
    held.clear();
  }
  const closed = (): void => end(true);
  source?.closed.addEventListener('abort', closed, { once: true });
  if (source?.closed.aborted) end();

  const opened: CallServices = {
    services: Object.freeze(services),
    signal: over.signal,
    failure: () => failure,
    check: issuer.check,
    async describe(service) {
      const { issued } = await noting(hold(service, {}));
      const { id, name, kind, base_url: baseUrl } = issued.service;
      return { id, name, kind, base_url: baseUrl };
    },
    end,
  };
  openedBy.set(services, opened);
  return opened;
}
