import { randomUUID } from 'node:crypto';
import type { IssuedCredential, RenewedLease, ServiceCredential, WireCode } from '@authsec/manager-client';
import { compileRequirement, createPrincipal, decide, type Requirement } from '@authsec/rbac-core';
import type { Clock } from '../clock.js';
import { createServiceNetwork, type ServiceNetwork } from '../services/service-network.js';
import type { Person } from './test-people.js';
import type { TestSessions } from './test-sessions.js';

/** A service as a test sets it up: who may use it, with which credential, and what it answers. */
export interface TestService {
  /** Text is a bearer token. */
  readonly credential: string | ServiceCredential;
  /** The one before a rotation, while that still overlaps. */
  readonly previousCredential?: string | ServiceCredential | undefined;
  /** Anyone who is signed in, unless told. */
  readonly requirement?: Requirement | undefined;
  /** Answers in place of a server. The request has the credential on it. */
  readonly answer?: ((request: Request) => Response | Promise<Response>) | undefined;
  /** Of a real server where there is no `answer`; `https://<name>.test/` unless told. */
  readonly baseUrl?: string | undefined;
  readonly allowPrivateAddresses?: boolean | undefined;
  /** Whether a tool may have the credential itself; true for a database, else false unless told. */
  readonly rawCredential?: boolean | undefined;
  /** E-mail addresses of those who connected their account; everyone unless told. */
  readonly connected?: readonly string[] | undefined;
  /** Seconds that a credential may be kept; 300 unless told. */
  readonly expiresInSeconds?: number | undefined;
  /** What the Manager answers instead, such as `secret_store_unavailable`. */
  readonly failure?: WireCode | undefined;
}

interface Refusal {
  readonly status: number;
  readonly code: WireCode;
}

/** The services of a Manager in memory, and the network between them and the SDK. */
export interface TestServices {
  readonly network: ServiceNetwork;
  set(name: string, service: TestService): void;
  issue(asked: { sid: string; service: string; raw: boolean; previous: boolean }): IssuedCredential | Refusal;
  renewLease(leaseId: string): RenewedLease | Refusal;
  /** False where there never was one. */
  endLease(leaseId: string): boolean;
  openLeases(): number;
}

const defaultSeconds = 300;

export function createTestServices(options: {
  readonly declared: Readonly<Record<string, TestService>>;
  readonly clock: Clock;
  readonly people: ReadonlyMap<string, Person>;
  readonly sessions: Pick<TestSessions, 'find'>;
}): TestServices {
  const { declared, people, clock, sessions } = options;
  const services = new Map(Object.entries(declared));
  const leases = new Map<string, { readonly sid: string; readonly service: string; ended: boolean }>();
  const baseOf = (name: string, { baseUrl }: TestService): string => baseUrl ?? `https://${name}.test/`;

  function networkOn(real: ServiceNetwork): ServiceNetwork {
    return {
      async send(request) {
        const { url, method, headers, body, signal } = request;
        const [, found] = [...services].find(([name, one]) => one.answer && isBelow(url, baseOf(name, one))) ?? [];
        if (!found?.answer) return real.send(request);
        const init = { method, headers, body, signal, duplex: 'half' };
        return found.answer(new Request(url, init as unknown as RequestInit));
      },
      withCertificate: (certificate) => networkOn(real.withCertificate(certificate)),
      close: () => real.close(),
    };
  }

  function mayUse({ requirement = {} }: TestService, person: Person): boolean {
    const { grants } = person.grantsAt(clock.wall());
    return decide(createPrincipal(grants), compileRequirement(requirement)).allowed;
  }

  function authorize(sid: string, name: string): { service: TestService; email: string } | Refusal {
    const session = sessions.find(sid);
    const email = session?.email ?? '';
    const person = people.get(email);
    if (!session || session.ended || clock.wall() >= session.expiresAt || !person) {
      return { status: 409, code: 'session_ended' };
    }
    const service = services.get(name);
    if (!service) return { status: 404, code: 'not_found' };
    if (service.failure) return { status: 503, code: service.failure };
    return mayUse(service, person) ? { service, email } : { status: 403, code: 'service_denied' };
  }

  return {
    network: networkOn(createServiceNetwork()),
    set: (name, service) => void services.set(name, service),
    issue({ sid, service: name, raw, previous }) {
      const use = authorize(sid, name);
      if ('code' in use) return use;
      const { service, email } = use;
      if (service.connected?.includes(email) === false) return { status: 409, code: 'service_not_connected' };
      const given = previous ? service.previousCredential : service.credential;
      if (given === undefined) return { status: 503, code: 'secret_missing' };
      const credential: ServiceCredential = typeof given === 'string' ? { type: 'bearer', token: given } : given;
      const isDatabase = credential.type === 'database';
      if (raw ? !(service.rawCredential ?? isDatabase) : isDatabase) return { status: 403, code: 'service_raw_denied' };
      const leaseId = isDatabase ? randomUUID() : null;
      if (leaseId !== null) leases.set(leaseId, { sid, service: name, ended: false });
      return {
        service: {
          id: randomUUID(),
          name,
          kind: credential.type,
          base_url: isDatabase ? null : baseOf(name, service),
          allow_private_addresses: service.allowPrivateAddresses ?? false,
        },
        credential,
        expires_in: service.expiresInSeconds ?? defaultSeconds,
        lease_id: leaseId,
        decision_id: randomUUID(),
      };
    },
    renewLease(leaseId) {
      const lease = leases.get(leaseId);
      if (!lease || lease.ended) return { status: 404, code: 'not_found' };
      const use = authorize(lease.sid, lease.service);
      if ('code' in use) return use;
      return { expires_in: use.service.expiresInSeconds ?? defaultSeconds, decision_id: randomUUID() };
    },
    endLease(leaseId) {
      const lease = leases.get(leaseId);
      if (!lease) return false;
      lease.ended = true;
      return true;
    },
    openLeases: () => [...leases.values()].filter(({ ended }) => !ended).length,
  };
}

function isBelow(url: URL, base: string): boolean {
  const { origin, pathname } = new URL(base);
  return url.origin === origin && url.pathname.startsWith(pathname.replace(/\/+$/, ''));
}
