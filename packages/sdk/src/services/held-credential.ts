import type { IssuedCredential, ServiceCredential } from '@authsec/manager-client';
import type { ClientCertificate } from '@authsec/guarded-fetch';
import type { Logger } from '../author-log.js';
import { minRedactedLength } from './encodings.js';
import type { CredentialIssuer, Issued } from './issue-credential.js';
import { renewLease } from './lease-renewal.js';
import { holdSecret } from './live-secrets.js';
import type { Redactor } from './redactor.js';
import { secretsOf } from './secrets-of.js';
import { createServiceNetwork, type ServiceNetwork } from './service-network.js';
import type { ServiceSource } from './service-source.js';

/** A credential in memory, for one call at most. */
export interface HeldCredential {
  readonly issued: IssuedCredential;
  /** Undefined where its secrets are too short to be told from other text. */
  readonly redactor: Redactor | undefined;
  /** Where its requests go through: one of its own for a client certificate. */
  readonly network: ServiceNetwork;
  /** Whether it may still be kept. */
  isFresh(): boolean;
  /**
   * Once; resolves when its lease has ended, or that was left to the background. Where the tool may still run, what it
   * sends is looked through for half a minute more.
   */
  end(mayStillRun?: boolean): Promise<void>;
}

const watchedAfterMs = 30_000;

export function holdCredential(
  { caller, issued, sentAt }: Issued,
  options: {
    readonly source: ServiceSource | undefined;
    readonly renewLease: CredentialIssuer['renewLease'];
    readonly log: Logger;
  },
): HeldCredential {
  const { source, log } = options;
  const { credential, lease_id: leaseId, expires_in: expiresIn, service } = issued;
  const secrets = secretsOf(credential);
  if (secrets.some(({ length }) => length < minRedactedLength)) {
    log.warn(`a secret of ${service.name} is too short to be taken out of what the service answers`);
  }
  const secret = holdSecret(secrets);
  const shared = source?.network ?? createServiceNetwork();
  const certificate = certificateOf(credential);
  const own = certificate && shared.withCertificate(certificate);
  const freshUntil = sentAt + expiresIn * 1_000;
  const renewal =
    source && leaseId !== null
      ? renewLease({
          name: service.name,
          endsAt: freshUntil,
          renew: () => options.renewLease(leaseId, service.name),
          clock: source.clock,
          log,
        })
      : undefined;
  let ended: Promise<void> | undefined;

  async function endAll(mayStillRun: boolean): Promise<void> {
    renewal?.stop();
    if (mayStillRun) source?.clock.after(watchedAfterMs, () => secret?.release());
    else secret?.release();
    own?.close().catch(() => {});
    if (leaseId !== null) await caller.endLease(leaseId);
  }

  return {
    issued,
    redactor: secret?.redactor,
    network: own ?? shared,
    isFresh: () => source !== undefined && source.clock.monotonic() < (renewal?.endsAt ?? freshUntil),
    end: (mayStillRun = false) => (ended ??= endAll(mayStillRun)),
  };
}

function certificateOf(credential: ServiceCredential): ClientCertificate | undefined {
  if (credential.type !== 'client_certificate') return undefined;
  const { certificate, private_key: privateKey, certificate_authority: certificateAuthority } = credential;
  return { certificate, privateKey, certificateAuthority: certificateAuthority ?? undefined };
}
