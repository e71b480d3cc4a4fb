import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createTestApplication, createTestRole } from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

const good = {
  name: 'Okta',
  kind: 'oidc',
  issuer: 'https://acme.okta.example',
  client_id: 'authsec',
  client_secret: 'the secret of Okta',
};
const oauth2 = {
  authorization_endpoint: 'https://github.com/login/oauth/authorize',
  token_endpoint: 'https://github.com/login/oauth/access_token',
  userinfo_endpoint: 'https://api.github.com/user',
  emails_endpoint: 'https://api.github.com/user/emails',
};

describe('/v1/identity-providers', () => {
  let manager: TestManager;
  let tenant: TestTenant;
  let other: TestTenant;
  let admin: string;
  let reader: string;
  let nobody: string;
  let foreign: string;

  beforeAll(async () => {
    manager = await createTestManager();
    [tenant, other] = [await manager.createTenant(), await manager.createTenant()];
    for (const one of [tenant, other]) {
      await createTestRole(one, 'idp-writer', ['authsec:identity-providers:*']);
      await createTestRole(one, 'idp-reader', ['authsec:identity-providers:read']);
    }
    const bearer = async (own: TestTenant, roles: string[]) => (await createTestApplication(own, { roles })).bearer();
    admin = await bearer(tenant, ['idp-writer']);
    reader = await bearer(tenant, ['idp-reader']);
    nobody = await bearer(tenant, []);
    foreign = await bearer(other, ['idp-writer']);
  }, 60_000);
  afterAll(() => manager?.close());

  const send = (method: 'get' | 'post' | 'patch' | 'delete', path: string, token: string, body?: object) => {
    const call = request(manager.app)[method](path).set('Authorization', token);
    return body ? call.send(body) : call;
  };
  const create = (body: object = {}, token = admin) =>
    send('post', '/v1/identity-providers', token, {
      ...good,
      name: crypto.randomUUID(),
      issuer: `https://${crypto.randomUUID()}.example`,
      ...body,
    });

  test('201 with the callback URL to register, and without the secret', async () => {
    const { status, body } = await create({ name: 'Okta', issuer: good.issuer });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        name: 'Okta',
        kind: 'oidc',
        issuer: good.issuer,
        has_client_secret: true,
        enabled: true,
        callback_url: `${tenant.issuer}/sign-in/callback/${body.id}`,
        settings: {
          new_people: 'refuse',
          rights: [],
          allowed_email_domains: [],
          home_realm_domains: [],
          trust_email: false,
        },
      },
    });
    const list = await send('get', '/v1/identity-providers', reader);
    const one = await send('get', `/v1/identity-providers/${body.id}`, reader);
    expect(one.body).toEqual(body);
    expect(list.body.identity_providers).toContainEqual(body);
    expect(JSON.stringify([body, list.body, one.body])).not.toContain('the secret');
  });

  test('the secret is stored sealed, bound to its row, and audited without its value', async () => {
    const { body } = await create();
    const row = await tenant.db.identityProvider.findUniqueOrThrow({ where: { id: body.id } });
    const sealed = Buffer.from(row.sealedClientSecret!);
    expect(sealed.toString('latin1')).not.toContain('the secret');
    const { sealer } = manager.container;
    const bound = `${tenant.id}/identity_providers/${row.id}`;
    expect(sealer.open(sealed, bound).toString()).toBe(good.client_secret);
    expect(() => sealer.open(sealed, `${other.id}/identity_providers/${row.id}`)).toThrow();
    await send('patch', `/v1/identity-providers/${body.id}`, admin, { client_secret: 'another secret' }).expect(200);
    const events = await tenant.db.auditEvent.findMany({ where: { targetId: body.id }, orderBy: { id: 'asc' } });
    expect(events.map(({ action, details }) => ({ action, details }))).toMatchObject([
      { action: 'identity_provider.create', details: { client_secret: '[redacted]' } },
      { action: 'identity_provider.update', details: { client_secret: '[redacted]' } },
    ]);
    expect(JSON.stringify(events, (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toMatch(
      /the secret|another secret/,
    );
  });

  test('PATCH changes what it names and leaves the rest; a secret can be taken away', async () => {
    const { body } = await create({ settings: { new_people: 'create' } });
    const change = { enabled: false, client_secret: null };
    const patched = await send('patch', `/v1/identity-providers/${body.id}`, admin, change).expect(200);
    expect(patched.body).toEqual({ ...body, enabled: false, has_client_secret: false });
  });

  test('400 for another token endpoint without its secret: the kept one would be told there', async () => {
    const kept = { kind: 'oauth2', settings: { oauth2 } };
    const { body } = await create(kept);
    const path = `/v1/identity-providers/${body.id}`;
    const settings = { oauth2: { ...oauth2, token_endpoint: 'https://attacker.example/token' } };
    const refused = await send('patch', path, admin, { settings });
    expect({ status: refused.status, errors: refused.body.errors }).toMatchObject({
      status: 400,
      errors: [{ pointer: '/client_secret' }],
    });
    expect((await send('get', path, reader)).body).toEqual(body);
    await send('patch', path, admin, { settings: { oauth2, new_people: 'create' } }).expect(200);
    await send('patch', path, admin, { settings, client_secret: 'of the other place' }).expect(200);
    const other = await create(kept);
    await send('patch', `/v1/identity-providers/${other.body.id}`, admin, { settings, client_secret: null }).expect(
      200,
    );
  });

  test('DELETE keeps the people who came through it', async () => {
    const { body } = await create();
    const identities = { create: { issuer: body.issuer, subject: 's' } };
    const person = await tenant.db.user.create({ data: { email: `${body.id}@example.test`, identities } });
    await send('delete', `/v1/identity-providers/${body.id}`, admin).expect(204);
    expect(await tenant.db.user.count({ where: { id: person.id } })).toBe(1);
    await send('get', `/v1/identity-providers/${body.id}`, admin).expect(404);
  });

  test.each([
    ['http', { issuer: 'http://idp.example' }, '/issuer'],
    ['credentials in the issuer', { issuer: 'https://a:b@idp.example' }, '/issuer'],
    ['no URL', { issuer: 'idp.example' }, '/issuer'],
    [
      'a script',
      { kind: 'oauth2', settings: { oauth2: { ...oauth2, authorization_endpoint: 'javascript:1' } } },
      '/settings/oauth2/authorization_endpoint',
    ],
    [
      'http at an endpoint',
      { kind: 'oauth2', settings: { oauth2: { ...oauth2, token_endpoint: 'http://a.example' } } },
      '/settings/oauth2/token_endpoint',
    ],
    ['OAuth2 without endpoints', { kind: 'oauth2' }, '/settings/oauth2'],
    ['OIDC with endpoints', { settings: { oauth2 } }, '/settings/oauth2'],
    ['OIDC without the scope openid', { settings: { scope: 'email' } }, '/settings/scope'],
    [
      'rights that nobody would get',
      { settings: { rights: [{ claim: 'a', value: 'b', gives: { kind: 'roles', name: 'c' } }] } },
      '/settings/rights',
    ],
    [
      'a domain with an at sign',
      { settings: { allowed_email_domains: ['@acme.example'] } },
      '/settings/allowed_email_domains/0',
    ],
    ['an unknown member', { secret: 'x' }, '/secret'],
  ])('400 for %s, naming the field', async (_case, body, pointer) => {
    const answer = await create(body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  });

  test('401 without a token, 403 without the permission, reading does not write', async () => {
    await request(manager.app).get('/v1/identity-providers').expect(401);
    await send('get', '/v1/identity-providers', nobody).expect(403);
    await create({}, reader).expect(403);
    await send('patch', '/v1/sign-in-settings', reader, { password_enabled: true }).expect(403);
  });

  test('403 for a rule that would give rights on AuthSec that the caller does not hold', async () => {
    const rights = [{ claim: 'groups', value: 'all', gives: { kind: 'roles', name: 'authsec-admin' } }];
    const settings = { new_people: 'create_with_rights', rights };
    await create({ settings }).expect(403);
    const { body } = await create();
    await send('patch', `/v1/identity-providers/${body.id}`, admin, { settings }).expect(403);
  });

  test('404 for another tenant’s', async () => {
    const { body } = await create();
    await send('get', `/v1/identity-providers/${body.id}`, foreign).expect(404);
    await send('patch', `/v1/identity-providers/${body.id}`, foreign, { enabled: false }).expect(404);
    await send('delete', `/v1/identity-providers/${body.id}`, foreign).expect(404);
    expect((await send('get', '/v1/identity-providers', foreign)).body.identity_providers).toEqual([]);
  });

  test('409 for a name or an issuer that another one has', async () => {
    const first = await create();
    await create({ name: first.body.name }).expect(409);
    await create({ issuer: first.body.issuer }).expect(409);
    const second = await create();
    await send('patch', `/v1/identity-providers/${second.body.id}`, admin, { name: first.body.name }).expect(409);
  });

  test('409 for what would leave a tenant without a way in', async () => {
    const path = '/v1/sign-in-settings';
    expect((await send('get', path, foreign)).body).toEqual({ password_enabled: true });
    await send('patch', path, foreign, { password_enabled: false }).expect(409);
    const { body } = await create({}, foreign);
    await send('patch', path, foreign, { password_enabled: false }).expect(200);
    await send('patch', `/v1/identity-providers/${body.id}`, foreign, { enabled: false }).expect(409);
    await send('delete', `/v1/identity-providers/${body.id}`, foreign).expect(409);
    await send('patch', path, foreign, { password_enabled: true }).expect(200);
    await send('delete', `/v1/identity-providers/${body.id}`, foreign).expect(204);
  });
});
