import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { textOf } from '../authorization-server/http-browser.js';
import { redeem, type TestClient } from '../authorization-server/test-server.js';
import type { TestTenant } from '../support/test-manager.js';
import { type Behaviour, type EvilProvider, startEvilProvider } from './evil-provider.js';
import {
  addProvider,
  asksForApproval,
  leaveFor,
  openLogin,
  type ProviderTest,
  signInThrough,
  startProviderTest,
  visitProvider,
} from './provider-flow.js';

/** What relying parties must take; names beginning with rp- are those of the OpenID certification. */
const good: readonly (Behaviour & { name: string; kind?: 'oauth2'; signing?: string; settings?: object })[] = [
  { name: 'rp-response_type-code' },
  { name: 'rp-id_token-sig-rs256' },
  { name: 'rp-id_token-sig-es256', signing: 'e1' },
  { name: 'id_token-sig-eddsa', signing: 'ed1' },
  { name: 'rp-id_token-kid-absent-single-jwks', header: ({ alg }) => ({ alg }), jwks: onlyR1 },
  { name: 'rp-scope-userinfo-claims', claimsInUserinfo: true },
  { name: 'rp-token_endpoint-client_secret_basic', settings: { token_endpoint_auth_method: 'client_secret_basic' } },
  { name: 'rp-token_endpoint-client_secret_post', settings: { token_endpoint_auth_method: 'client_secret_post' } },
  {
    name: 'several audiences, and azp is us',
    claims: (claims, { clientId }) => ({ ...claims, aud: [clientId, 'other'], azp: clientId }),
  },
  {
    name: 'a clock 20 seconds ahead',
    claims: (claims) => ({ ...claims, iat: claims.iat! + 20, nbf: claims.iat! + 20 }),
  },
  {
    name: 'a clock 20 seconds behind',
    claims: (claims) => ({ ...claims, iat: claims.iat! - 320, exp: claims.iat! - 20 }),
  },
  {
    name: 'no word on verification, trusted by the tenant',
    person: { email_verified: undefined },
    settings: { trust_email: true },
  },
  { name: 'GitHub’s shape', kind: 'oauth2' },
];

function onlyR1({ keys }: { keys: { kid?: string }[] }) {
  return { keys: keys.filter(({ kid }) => kid === 'r1') };
}

describe('a good provider signs a person in', () => {
  let manager: ProviderTest;
  let provider: EvilProvider;
  let tenant: TestTenant;
  let client: TestClient;

  beforeAll(async () => {
    [manager, provider] = await Promise.all([startProviderTest(), startEvilProvider()]);
    ({ tenant, client } = await manager.newTenant());
  }, 60_000);
  afterAll(async () => {
    await manager?.server.close();
    await provider?.close();
  });

  test.each(good.map((behaviour, index) => [behaviour.name, behaviour, index] as const))(
    '%s',
    async (name, behaviour, index) => {
      const email = `good-${index}@example.test`;
      const emails = {
        body: [
          { email: 'a@b.test', primary: false, verified: true },
          { email, primary: true, verified: true },
        ],
      };
      const issuer = provider.issuer(`good-${index}`, {
        emails,
        ...behaviour,
        person: { sub: name, email, ...behaviour.person },
      });
      await issuer.newKey('ed1', 'EdDSA');
      if (behaviour.signing) issuer.signing = behaviour.signing;
      await addProvider(manager, tenant, issuer, {
        name,
        kind: behaviour.kind ?? 'oidc',
        settings: behaviour.settings ?? {},
      });
      const login = await openLogin(tenant, client);
      const page = await signInThrough(login, name);
      expect({ page: page.text.match(/<h1>.*<\/h1>/)?.[0], log: manager.log }).toEqual({
        page: '<h1>Approve this sign-in?</h1>',
        log: [],
      });
      const done = await login.browser.press(page, 'Approve');
      const code = textOf(done, 'code') ?? '';
      const answer = await redeem(tenant.issuer, client, { code, verifier: login.pkce.verifier });
      expect(answer.status).toBe(200);
      const { access_token: token } = (await answer.json()) as { access_token: string };
      const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
      expect(claims).toMatchObject({ email, tenant_id: tenant.id, roles: [], scopes: [] });

      const again = await openLogin(tenant, client);
      expect(asksForApproval(await signInThrough(again, name))).toBe(true);
      expect(await tenant.db.user.count({ where: { email } })).toBe(1);
    },
  );

  test('asks with state, nonce, PKCE and the callback of its own, and tells the provider no secret in a URL', async () => {
    const issuer = provider.issuer('asked');
    const { callbackUrl } = await addProvider(manager, tenant, issuer, { name: 'Asked' });
    const left = await leaveFor(await openLogin(tenant, client), 'Sign in with Asked');
    const asked = new URL('url' in left ? left.url : '').searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      client_id: issuer.clientId,
      redirect_uri: callbackUrl,
      scope: 'openid email profile',
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{20,}$/),
    });
    expect(decodeURIComponent(asked.toString())).not.toContain(issuer.clientSecret);
  });

  test('rp-key-rotation-op-sign-key: a key that is new since the last login is taken at once', async () => {
    const issuer = provider.issuer('rotating', { person: { sub: 'rotating', email: 'rotating@example.test' } });
    await addProvider(manager, tenant, issuer, { name: 'Rotating' });
    const loginWith = async () => asksForApproval(await signInThrough(await openLogin(tenant, client), 'Rotating'));
    expect(await loginWith()).toBe(true);
    await issuer.newKey('r2', 'RS256');
    issuer.signing = 'r2';
    issuer.keys.delete('r1');
    expect(await loginWith()).toBe(true);
    expect(await loginWith()).toBe(true);
    // Its document is asked for once, its keys only when they change.
    const asked = (path: string) => issuer.requests.filter((request) => request.path === path).length;
    expect({ discovery: asked('.well-known/openid-configuration'), jwks: asked('jwks') }).toEqual({
      discovery: 1,
      jwks: 2,
    });
  });

  test('comes back also while the provider is asked by two tabs of one browser', async () => {
    const issuer = provider.issuer('tabs', { person: { sub: 'tabs', email: 'tabs@example.test' } });
    await addProvider(manager, tenant, issuer, { name: 'Tabs' });
    const one = await openLogin(tenant, client);
    const two = await openLogin(tenant, client, one.browser);
    const [first, second] = [await leaveFor(one, 'Sign in with Tabs'), await leaveFor(two, 'Sign in with Tabs')];
    const backTwo = await visitProvider('url' in second ? second.url : '');
    const backOne = await visitProvider('url' in first ? first.url : '');
    expect(asksForApproval(await one.browser.get(backTwo))).toBe(true);
    expect(asksForApproval(await one.browser.get(backOne))).toBe(true);
  });
});
