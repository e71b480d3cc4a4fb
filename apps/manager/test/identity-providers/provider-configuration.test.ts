import { describe, expect, test } from '@jest/globals';
import { identityProviderSettingsSchema } from '@authsec/manager-client/contract';
import type { IdentityProvider } from '../../src/modules/identity-providers/identity-provider.js';
import { createProviderConfigurations } from '../../src/modules/identity-providers/provider-configuration.js';
import { FetchRefused, type GuardedFetch } from '../../src/ports/guarded-fetch.js';

const provider = (issuer: string): IdentityProvider => ({
  id: crypto.randomUUID(),
  name: 'Test',
  kind: 'oidc',
  issuer,
  clientId: 'client',
  sealedClientSecret: null,
  settings: identityProviderSettingsSchema.parse({}),
  enabled: true,
  createdAt: new Date(0),
});
const never = new AbortController().signal;

function setUp(answer: (url: string) => object) {
  const clock = { at: 0, now: () => 0, monotonic: () => clock.at };
  const asked: string[] = [];
  const fetch = Object.assign(
    async (url: string) => {
      asked.push(url);
      return Response.json(answer(url));
    },
    { close: async () => {} },
  ) as GuardedFetch;
  return { clock, asked, configurations: createProviderConfigurations({ fetch, clock, allowHttp: false }) };
}
const document = (issuer: string) => ({
  issuer,
  authorization_endpoint: 'https://idp.test/authorize',
  token_endpoint: 'https://idp.test/token',
  jwks_uri: 'https://idp.test/jwks',
});

describe('the configuration of a provider', () => {
  test.each([
    ['https://idp.test', 'https://idp.test/'],
    ['https://idp.test/', 'https://idp.test'],
    ['https://idp.test', 'https://IDP.test'],
    ['https://idp.test', 'https://idp.test:443'],
  ])('of %s is not taken from a document that says %s', async (own, said) => {
    const { configurations } = setUp(() => document(said));
    await expect(configurations.of(provider(own), undefined, never)).rejects.toMatchObject({
      check: 'discovery.issuer',
    });
  });

  test.each(['authorization_endpoint', 'token_endpoint', 'jwks_uri'])('wants https at %s', async (name) => {
    const { configurations } = setUp(() => ({ ...document('https://idp.test'), [name]: 'http://idp.test/x' }));
    const error = configurations.of(provider('https://idp.test'), undefined, never);
    await expect(error).rejects.toMatchObject({ check: `discovery.${name}` });
  });

  test('never has an algorithm without a public key', async () => {
    const algorithms = ['none', 'HS256', 'HS512', 'ES256', 'RS256'];
    const { configurations } = setUp(() => ({
      ...document('https://idp.test'),
      id_token_signing_alg_values_supported: algorithms,
    }));
    const configuration = await configurations.of(provider('https://idp.test'), undefined, never);
    expect(configuration.serverMetadata().id_token_signing_alg_values_supported).toEqual(['ES256', 'RS256']);
  });

  test('is asked for again after ten minutes, and after a login that failed', async () => {
    const { clock, asked, configurations } = setUp(() => document('https://idp.test'));
    const own = provider('https://idp.test');
    const ask = () => configurations.of(own, undefined, never);
    const configuration = await ask();
    clock.at = 9 * 60_000;
    await ask();
    expect(asked).toHaveLength(1);
    clock.at = 11 * 60_000;
    await ask();
    expect(asked).toHaveLength(2);
    configurations.settle(own, configuration, false);
    await ask();
    expect(asked).toHaveLength(3);
  });

  test('that cannot be had says where and why', async () => {
    const { configurations } = setUp(() => {
      throw new FetchRefused('address', 'idp.test is, or has, an address that is not public');
    });
    const error = configurations.of(provider('https://idp.test'), undefined, never);
    await expect(error).rejects.toMatchObject({
      check: 'discovery.address',
      message: expect.stringContaining('idp.test'),
    });
  });
});
