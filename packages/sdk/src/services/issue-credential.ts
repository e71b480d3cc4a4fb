import type { IssuedCredential } from '@authsec/manager-client';
import { AuthSecError } from '../authsec-error.js';
import type { Call } from '../guard/caller-context.js';
import { toServiceError } from './service-errors.js';
import type { PersonServices, ServiceSource } from './service-source.js';

/** A credential, and in whose name it was issued. */
export interface Issued {
  readonly caller: PersonServices;
  readonly issued: IssuedCredential;
  /** Monotonic milliseconds: its `expires_in` counts from here. */
  readonly sentAt: number;
}

export interface CredentialIssuer {
  /** Whether the Manager answers and the caller's login is one; settles within 2.3 s. */
  check(): Promise<boolean>;
  /** Settles within 2.3 s, whatever hangs. Rejects with AuthSecError. */
  issue(service: string, how: { readonly raw?: boolean; readonly previous?: boolean }): Promise<Issued>;
  /** The seconds that its account now lives, counted from when this was asked. Settles and rejects as `issue` does. */
  renewLease(leaseId: string, service: string): Promise<number>;
}

const issueWithinMs = 2_300;
/** As the Manager takes it. What else a tool says, perhaps at a model's wish, is neither asked for nor logged. */
const serviceName = /^[a-z][a-z0-9_-]{0,62}$/;

export function createCredentialIssuer(options: {
  readonly call: Call;
  readonly tool: string;
  readonly source: ServiceSource | undefined;
  readonly over: AbortSignal;
}): CredentialIssuer {
  const { call, tool, source, over } = options;

  /** Whose services these are, looked at again: the caller, while the tool is theirs. */
  function caller(): PersonServices {
    const verdict = call.lookAgain?.();
    if (verdict?.kind === 'unavailable')
      throw new AuthSecError(verdict.code, `${tool}: its caller cannot be judged now`);
    if (verdict?.kind === 'hidden') throw new AuthSecError('service_denied', `${tool} is not its caller's any more`);
    const found = source?.person();
    const isCaller = found && found.sub === verdict?.user?.sub && found.tenantId === verdict.user.tenant_id;
    if (!isCaller) throw new AuthSecError('not_signed_in', `${tool}: nobody is signed in whose services it could use`);
    return found;
  }

  async function inTime<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const late = new AbortController();
    const cancel = source?.clock.after(issueWithinMs, () => late.abort());
    try {
      return await work(AbortSignal.any([late.signal, over]));
    } finally {
      cancel?.();
    }
  }

  return {
    check: () => inTime(async (signal) => unlessAborted(caller().check(signal), signal)),
    renewLease: (leaseId, service) =>
      inTime(async (signal) => {
        try {
          return await unlessAborted(caller().renewLease(leaseId, tool, signal), signal);
        } catch (error) {
          if (over.aborted) throw over.reason;
          throw toServiceError(service, error);
        }
      }),
    issue: (service, { raw = false, previous = false }) =>
      inTime(async (signal) => {
        if (typeof service !== 'string' || !serviceName.test(service)) {
          throw new AuthSecError('service_unknown', `${tool}: what it asked for is no name of a service`);
        }
        const asked = caller();
        const sentAt = source?.clock.monotonic() ?? 0;
        const endLease = ({ lease_id: leaseId }: IssuedCredential): void => {
          if (leaseId !== null) void asked.endLease(leaseId);
        };
        try {
          const answer = asked.issue({ service, raw, previous, tool }, signal);
          const issued = await unlessAborted(answer, signal, endLease);
          if (issued.service.name === service) return { caller: asked, issued, sentAt };
          endLease(issued);
          throw new AuthSecError('service_unavailable', `${service}: the Manager answered with another service`);
        } catch (error) {
          if (over.aborted) throw over.reason;
          const known = toServiceError(service, error);
          if (known.code !== 'service_not_connected') throw known;
          throw toServiceError(
            service,
            error,
            await unlessAborted(asked.connect(service, signal), signal).catch(() => undefined),
          );
        }
      }),
  };
}

/** Gives up when `signal` aborts, whether what is waited for listens to it or not; what comes later goes to `tooLate`. */
function unlessAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal,
  tooLate: (result: Result) => void = () => {},
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(new AuthSecError('manager_unavailable', 'the Manager did not answer in time'));
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    promise
      .then((result) => (signal.aborted ? tooLate(result) : resolve(result)), reject)
      .finally(() => signal.removeEventListener('abort', aborted));
  });
}
