import type { Application } from '@authsec/prisma/tenant';
import type { AllClientMetadata, Client } from 'oidc-provider';
import { isNative, resourceOf } from '../modules/applications/application.js';

/** What of an application oidc-provider has no field for; kept on the client. */
export interface ApplicationOfClient {
  readonly id: string;
  readonly name: string;
  /** The `aud` of a person's token. */
  readonly resource: string;
  readonly completionPage: boolean;
  readonly pasteToken: boolean;
  readonly scopes: readonly string[];
}

/** The name of the extra metadata that carries it. */
export const applicationProperty = 'authsec_application';

export function applicationOf(client: Client): ApplicationOfClient {
  return client[applicationProperty] as ApplicationOfClient;
}

/** Where an in-band login on the completion page 'redirects' to; never visited. */
export function completionUriOf(issuer: string): string {
  return `${issuer}/completion`;
}

/** RFC 7591 metadata. `client_secret` is the stored hash: it is compared by our own function, and no key is made of it. */
export function toClientMetadata(application: Application, issuer: string): AllClientMetadata {
  const signsPeopleIn = application.grantTypes.includes('authorization_code');
  const redirectUris = signsPeopleIn
    ? [...application.redirectUris, ...(application.completionPage ? [completionUriOf(issuer)] : [])]
    : [];
  const kept: ApplicationOfClient = {
    id: application.id,
    name: application.name,
    resource: resourceOf(application),
    completionPage: application.completionPage,
    pasteToken: application.pasteToken,
    scopes: application.scopes,
  };
  return {
    client_id: application.clientId,
    client_name: application.name,
    ...(application.clientSecretHash !== null && { client_secret: application.clientSecretHash }),
    ...(application.jwks !== null && { jwks: application.jwks as unknown as NonNullable<AllClientMetadata['jwks']> }),
    token_endpoint_auth_method: application.tokenEndpointAuthMethod as AllClientMetadata['token_endpoint_auth_method'],
    application_type: isNative(application.redirectUris) ? 'native' : (application.applicationType as 'web' | 'native'),
    grant_types: application.grantTypes,
    redirect_uris: redirectUris,
    response_types: redirectUris.length > 0 ? ['code'] : [],
    response_modes: application.completionPage ? ['query', 'oob'] : ['query'],
    require_pushed_authorization_requests: application.completionPage,
    id_token_signed_response_alg: 'ES256',
    [applicationProperty]: kept,
  };
}
