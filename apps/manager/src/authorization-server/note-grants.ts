import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { noteFacts, type RequestFacts } from '../ports/current-request.js';

const grantTypes: ReadonlySet<unknown> = new Set(['authorization_code', 'client_credentials', 'refresh_token']);

/** What a token request was, and why it was refused, for its log lines and its span. */
export function noteGrants(provider: Provider): void {
  provider.on('grant.success', (ctx) => noteFacts(grantOf(ctx)));
  provider.on('grant.error', (ctx, error) => {
    noteFacts({
      ...grantOf(ctx),
      oauth_error: error instanceof errors.OIDCProviderError ? error.error : 'server_error',
    });
  });
}

/** Of what was sent only what we know. */
function grantOf({ oidc }: KoaContextWithOIDC): Partial<RequestFacts> {
  const said = oidc.params?.['grant_type'];
  return {
    grant_type: grantTypes.has(said) ? String(said) : '_OTHER',
    ...(oidc.client && { client_id: oidc.client.clientId }),
  };
}
