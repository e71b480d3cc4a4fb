import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JWK } from 'jose';
import { Provider, type JWKS, type KoaContextWithOIDC } from 'oidc-provider';
import type { VerifyAccessToken } from '../authorization/verify-access-token.js';
import { findActiveByClientId } from '../modules/applications/applications.repository.js';
import { compareClientSecret } from '../modules/applications/client-secret.js';
import type { Site } from '../pages/page.js';
import type { RateLimit } from '../ports/rate-limits.js';
import { toClientMetadata } from './client-metadata.js';
import { answerFailure } from './answer-failure.js';
import { answerUnknown } from './answer-unknown.js';
import { createOutOfBandAnswer } from './completion-mode.js';
import { createJwtTokens, watchForJwts } from './jwt-tokens.js';
import { noteGrants } from './note-grants.js';
import { correctMetadata } from './metadata.js';
import { createPostgresAdapter } from './postgres-adapter.js';
import { createProviderConfiguration } from './provider-configuration.js';
import { setSite } from './provider-pages.js';
import { isPushInHand } from './push-in-hand.js';
import { createPushLogin } from './push-login.js';
import { createSessionTokens } from './session-tokens.js';
import type { TenantContext } from './tenant-context.js';

/** One tenant's authorization server. */
export interface TenantProvider {
  readonly context: TenantContext;
  readonly site: Site;
  readonly provider: Provider;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

export interface TenantProviderOptions {
  readonly context: TenantContext;
  readonly site: Site;
  /** Private; the one that signs first. */
  readonly keys: readonly JWK[];
  readonly cookieKeys: readonly string[];
  readonly verifyAccessToken: VerifyAccessToken;
  readonly pushesPerNetwork: RateLimit;
}

type Middleware = (ctx: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>;

export function createTenantProvider(options: TenantProviderOptions): TenantProvider {
  const { context, site, keys, cookieKeys, verifyAccessToken, pushesPerNetwork } = options;
  const { issuer, tenantId, db, sessions, logger } = context;
  const adapterOptions = {
    db,
    issuer,
    async findClient(clientId: string) {
      const application = await findActiveByClientId(await db(), clientId);
      return application && toClientMetadata(application, issuer);
    },
    async onGrantEnded(sid: string) {
      await sessions.endSession({ tenantId, db: await db(), sid, reason: 'revoked' });
    },
    isHeldElsewhere: () => isPushInHand(),
  };
  const jwks = { keys } as unknown as JWKS;
  const adapter = (model: string) => createPostgresAdapter(model, adapterOptions);
  const provider = new Provider(issuer, createProviderConfiguration({ context, adapter, jwks, cookieKeys }));
  // Hosts in its answers come from headers, which are overwritten from the issuer before it sees them.
  provider.proxy = true;
  setSite(provider, site);
  provider.registerResponseMode('oob', createOutOfBandAnswer(context));
  compareHashes(provider);
  watchForJwts(provider);
  noteGrants(provider);
  provider.on('server_error', (ctx, error) => logger.error({ tenant_id: tenantId, ...describe(ctx, error) }, 'failed'));
  (provider as EventEmitter).on('error', (error: unknown) =>
    logger.error({ tenant_id: tenantId, err: error }, 'failed'),
  );
  for (const middleware of [
    answerFailure,
    answerUnknown,
    correctMetadata,
    createJwtTokens(context, verifyAccessToken),
    createPushLogin(context, pushesPerNetwork),
    createSessionTokens(context),
  ] satisfies Middleware[]) {
    provider.use(middleware as Parameters<typeof provider.use>[0]);
  }
  return { context, site, provider, handle: provider.callback() };
}

/** Client rows carry the hash of the secret where the library thinks of the secret. */
function compareHashes(provider: Provider): void {
  const prototype = provider.Client.prototype as unknown as {
    clientSecret?: string;
    compareClientSecret(presented: string): boolean;
  };
  prototype.compareClientSecret = function (presented) {
    return this.clientSecret !== undefined && compareClientSecret(this.clientSecret, presented);
  };
}

function describe(ctx: KoaContextWithOIDC, error: Error): Record<string, unknown> {
  return { err: error, route: ctx.oidc?.route };
}
