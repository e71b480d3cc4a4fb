import express, { type RequestHandler, Router } from 'express';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider, type ClientMetadata, type JWK } from 'oidc-provider';
import { loginPage } from './login-page.js';
import { findPerson, type ProviderSettings, subjectOf } from './people.js';

const scope = 'openid email profile groups';

/** A real OpenID provider: discovery, code with PKCE, keys that are new at each start, claims at the userinfo endpoint. */
export async function createOpenIdProvider(issuer: string, settings: ProviderSettings): Promise<RequestHandler> {
  const { people, oidcClients } = settings;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: crypto.randomUUID(), alg: 'RS256', use: 'sig' } as JWK;
  const path = new URL(issuer).pathname;
  const provider = new Provider(issuer, {
    jwks: { keys: [key] },
    clients: oidcClients.map(({ clientId, clientSecret, redirectUri }): ClientMetadata => {
      return { client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] };
    }),
    responseTypes: ['code'],
    scopes: scope.split(' '),
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: false } },
    cookies: {
      keys: [crypto.randomUUID()],
      names: { session: 'dev_idp_session', interaction: 'dev_idp_interaction', resume: 'dev_idp_resume' },
      long: { path, httpOnly: true, sameSite: 'lax' },
      short: { httpOnly: true, sameSite: 'lax' },
    },
    interactions: { url: (_ctx, { uid }) => `${path}/login/${uid}` },
    findAccount(_ctx, sub) {
      const person = people.find((one) => subjectOf(one) === sub);
      if (!person) return undefined;
      const { email, displayName: name, groups } = person;
      return { accountId: sub, claims: () => ({ sub, email, email_verified: true, name, groups: [...groups] }) };
    },
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client?.clientId ?? '',
        accountId: ctx.oidc.session?.accountId ?? '',
      });
      grant.addOIDCScope(scope);
      await grant.save();
      return grant;
    },
    ttl: { AccessToken: 300, AuthorizationCode: 60, IdToken: 300, Interaction: 600, Session: 3_600, Grant: 3_600 },
  });

  const router = Router();
  const name = 'Single sign-on';
  router.get('/login/:uid', async (request, response) => {
    const { params } = await provider.interactionDetails(request, response);
    const email = typeof params['login_hint'] === 'string' ? params['login_hint'] : '';
    response.type('html').send(loginPage({ name, email }));
  });
  router.post('/login/:uid', express.urlencoded({ extended: false }), async (request, response) => {
    const form = request.body as Record<string, unknown>;
    const person = findPerson(people, form);
    if (!person) {
      response
        .status(422)
        .type('html')
        .send(loginPage({ name, email: String(form['email']), problem: true }));
      return;
    }
    await provider.interactionFinished(request, response, { login: { accountId: subjectOf(person) } });
  });
  router.use(provider.callback());
  return router;
}
