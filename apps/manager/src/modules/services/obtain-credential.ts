import type { ServiceCredential } from '@authsec/manager-client/contract';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import { AppError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import type { DatabaseLease, SecretStore } from '../../ports/secret-store.js';
import { ProviderFailure } from '../identity-providers/provider-failure.js';
import type { ClientCredentialsTokens } from './client-credentials-tokens.js';
import type { PersonTokens } from './person-tokens.js';
import { secretAddressOf, type Service } from './service.js';
import { readSecretOf } from './service-secret-reader.js';
import { atStore } from './translate-store-error.js';
import type { Progress } from './within-budget.js';

export interface CredentialRequest {
  readonly tenantId: string;
  readonly db: TenantDatabase;
  readonly service: Service;
  /** Of the tenant's secret. */
  readonly version: number;
  /** Whose own account it is, where the service has such. */
  readonly userId: string | undefined;
}

export interface ObtainedCredential {
  readonly credential: ServiceCredential;
  /** How long it may be kept in memory. */
  readonly keepSeconds: number;
  /** Of an account that was made for this: somebody has to end it. */
  readonly lease?: DatabaseLease;
}

/** The credential as it goes on a request; rejects with AppError. */
export type ObtainCredential = (request: CredentialRequest, progress: Progress) => Promise<ObtainedCredential>;

export interface ObtainCredentialOptions {
  readonly secrets: SecretStore;
  readonly clientTokens: ClientCredentialsTokens;
  readonly personTokens: PersonTokens;
  readonly clock: Clock;
}

const maxKeepSeconds = 300;
export const maxLeaseSeconds = 3_600;

export function createObtainCredential(options: ObtainCredentialOptions): ObtainCredential {
  const { secrets, clientTokens, personTokens, clock } = options;

  return async (request, progress) => {
    const { tenantId, service, version } = request;
    const { settings } = service;
    const read = <K extends typeof settings.kind>(kind: K) => {
      progress.waitingFor = 'secret_store_unavailable';
      return readSecretOf(secrets, { tenantId, service, kind }, version);
    };
    switch (settings.kind) {
      case 'api_key': {
        const { key } = await read(settings.kind);
        const value = settings.in === 'header' ? settings.prefix + key : key;
        return lasting({ type: settings.in, name: settings.name, value });
      }
      case 'basic':
        return lasting({ type: 'basic', ...(await read(settings.kind)) });
      case 'bearer':
        return lasting({ type: 'bearer', ...(await read(settings.kind)) });
      case 'mtls': {
        const { certificate_authority = null, ...pair } = await read(settings.kind);
        return lasting({ type: 'client_certificate', ...pair, certificate_authority });
      }
      case 'oauth2_client_credentials': {
        const tokenBy = (secretVersion: number) => {
          const clientSecret = async () => {
            progress.waitingFor = 'secret_store_unavailable';
            const place = { tenantId, service, kind: settings.kind };
            const { client_secret } = await readSecretOf(secrets, place, secretVersion);
            progress.waitingFor = 'service_unavailable';
            return client_secret;
          };
          return clientTokens({ tenantId, service, settings, version: secretVersion, clientSecret });
        };
        progress.waitingFor = 'service_unavailable';
        return bearer(() => eitherSecret(tokenBy, request, clock.now()), service);
      }
      case 'oauth2_authorization_code': {
        const { userId, db } = request;
        if (userId === undefined) throw new AppError('service_not_connected', 'nobody whose account it would be');
        progress.waitingFor = 'service_unavailable';
        return bearer(() => personTokens({ tenantId, db, service, settings, userId }), service);
      }
      case 'database':
      default: {
        const { databases } = secrets;
        if (!databases) throw new AppError('service_kind_unavailable', `the ${secrets.kind} store makes no accounts`);
        progress.waitingFor = 'secret_store_unavailable';
        const lease = await atStore(databases.issue(secretAddressOf(tenantId, service.id)));
        const { host, port, database, tls } = settings;
        const { username, password, leaseSeconds } = lease;
        const credential = { type: 'database', host, port, database, tls, username, password } as const;
        return { credential, keepSeconds: Math.min(leaseSeconds, maxLeaseSeconds), lease };
      }
    }
  };
}

function lasting(credential: ServiceCredential): ObtainedCredential {
  return { credential, keepSeconds: maxKeepSeconds };
}

async function bearer(
  token: () => Promise<{ readonly accessToken: string; readonly keepSeconds: number }>,
  { name }: Service,
): Promise<ObtainedCredential> {
  try {
    const { accessToken, keepSeconds } = await token();
    return { credential: { type: 'bearer', token: accessToken }, keepSeconds };
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    // Not as a cause: foreign messages may repeat what was answered.
    throw new AppError('service_unavailable', `service ${name}: ${error.check}`);
  }
}

/** Within the overlap of a rotation the authorization server may know only the secret before. */
async function eitherSecret<T>(
  tokenBy: (version: number) => Promise<T>,
  { service, version }: CredentialRequest,
  at: number,
): Promise<T> {
  try {
    return await tokenBy(version);
  } catch (error) {
    const { previousSecretVersion: previous, previousSecretUntil: until } = service;
    const overlaps = previous !== null && previous !== version && until !== null && until.getTime() > at;
    if (!overlaps || !(error instanceof ProviderFailure) || !clientRefusals.has(error.check)) throw error;
    return tokenBy(previous);
  }
}

const clientRefusals: ReadonlySet<string> = new Set(['token_endpoint.invalid_client', 'client.refused']);
