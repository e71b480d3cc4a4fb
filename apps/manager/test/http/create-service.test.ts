import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { secretAddressOf } from '../../src/modules/services/service.js';
import { createTestPerson, random } from '../support/test-data.js';
import { createCertificate } from '../support/certificate.js';
import { createServicesStage, expectKeptOut, expectNotTold, type ServicesStage } from '../support/services.js';

const path = '/v1/services';
const oauth2 = {
  kind: 'oauth2_authorization_code',
  token_endpoint: 'https://login.example.com/token',
  authorization_endpoint: 'https://login.example.com/authorize?prompt=consent',
  client_id: 'authsec',
};
let stage: ServicesStage;
beforeAll(async () => {
  stage = await createServicesStage();
}, 60_000);
afterAll(() => stage?.close());

const readSecret = (id: string) => stage.manager.container.secrets.read(secretAddressOf(stage.tenant.id, id));
const countServices = () => stage.tenant.db.serviceConfiguration.count();

describe('201', () => {
  test('the service comes back as it was given, and its secret is in the store alone', async () => {
    const owner = await createTestPerson(stage.tenant);
    const secret = { token: `canary-${random()}` };
    const given = stage.body({
      description: 'Repositories',
      secret,
      owner: owner.id,
      raw_credential: true,
      health_path: '/user',
    });
    const answer = await stage.send('post', path, given);
    const { secret: _secret, ...visible } = given as Record<string, unknown>;
    expect([answer.status, answer.body]).toEqual([
      201,
      {
        ...visible,
        id: expect.any(String),
        kind: 'bearer',
        public_clients: false,
        allow_private_addresses: false,
        enabled: true,
        secret_version: 1,
        previous_secret_until: null,
        last_used_at: null,
        last_check: null,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
    ]);
    expect(await readSecret(answer.body.id)).toEqual({ value: secret, version: 1 });
    const row = await stage.tenant.db.serviceConfiguration.findUniqueOrThrow({ where: { id: answer.body.id } });
    await expectNotTold(stage, [secret.token], [answer.text, JSON.stringify(row)]);
  });

  test('who made it, and who may use it with what, is audited', async () => {
    const { body } = await stage.create({ base_url: 'https://API.example.com:443/' });
    expect(await stage.audited(body.id, 'service.created')).toEqual([
      expect.objectContaining({
        name: body.name,
        kind: 'bearer',
        base_url: 'https://api.example.com',
        requirement: '{"roles":["developer"]}',
        applications: [stage.application.clientId],
        raw_credential: false,
      }),
    ]);
  });

  test.each<[string, object, object]>([
    [
      'api_key in a header',
      { kind: 'api_key', in: 'header', name: 'X-Key', prefix: 'Token ' },
      { key: 'k e y-secret' },
    ],
    ['api_key in the query', { kind: 'api_key', in: 'query', name: 'key' }, { key: 'ключ-ключ' }],
    ['basic', { kind: 'basic' }, { username: 'svc', password: 'p:w-secret' }],
    [
      'oauth2_client_credentials',
      {
        kind: 'oauth2_client_credentials',
        token_endpoint: 'https://login.example.com/token',
        client_id: 'c',
        scope: 'a b',
      },
      { client_secret: 's-secret' },
    ],
    ['oauth2_authorization_code', oauth2, { client_secret: 's-secret' }],
  ])('%s', async (_name, settings, secret) => {
    const answer = await stage.create({ settings, secret });
    expect([answer.status, answer.body.settings]).toEqual([201, expect.objectContaining(settings)]);
    expect((await readSecret(answer.body.id)).value).toEqual(secret);
  });
});

describe('400 names the part that does not fit, never its value', () => {
  const canary = `canary${random()}`;
  const bearer = { settings: { kind: 'bearer' } };
  test.each<[string, object, string]>([
    ['no secret for the kind', { secret: {} }, '/secret/token'],
    ['a part of another kind', { secret: { token: 'x-secret', [canary]: canary } }, '/secret'],
    ['a secret where its name should be', { secret: { [canary.padEnd(80, 'x')]: 'token' } }, '/secret'],
    ['a secret with a line break', { secret: { token: `${canary}\n` } }, '/secret/token'],
    ['a secret of seven characters', { secret: { token: '1234567' } }, '/secret/token'],
    [
      'a secret of seven letters, though they are more bytes',
      { settings: { kind: 'api_key', in: 'query', name: 'key' }, secret: { key: '🔑🔑🔑🔑🔑🔑🔑' } },
      '/secret/key',
    ],
    [
      'a short password',
      { settings: { kind: 'basic' }, secret: { username: 'svc-of-ours', password: 'p:w' } },
      '/secret/password',
    ],
    ['a short client secret', { settings: oauth2, secret: { client_secret: 's' } }, '/secret/client_secret'],
    ['a bearer token with spaces', { secret: { token: `${canary} x` } }, '/secret/token'],
    ['a bearer token that no header takes', { secret: { token: `${canary}é` } }, '/secret/token'],
    [
      'a user name with a colon',
      { settings: { kind: 'basic' }, secret: { username: `${canary}:`, password: canary } },
      '/secret/username',
    ],
    [
      'no certificate',
      { settings: { kind: 'mtls' }, secret: { certificate: canary, private_key: canary } },
      '/secret/certificate',
    ],
    [
      'PEM that is none',
      {
        settings: { kind: 'mtls' },
        secret: { certificate: `-----BEGIN CERTIFICATE-----\n${canary}`, private_key: createCertificate().private_key },
      },
      '/secret/certificate',
    ],
    ['no base URL', { ...bearer, base_url: undefined }, '/base_url'],
    ['plain http', { base_url: 'http://api.example.com' }, '/base_url'],
    ['another scheme', { base_url: 'ftp://api.example.com' }, '/base_url'],
    ['credentials in the URL', { base_url: `https://user:${canary}@api.example.com` }, '/base_url'],
    ['a query', { base_url: 'https://api.example.com/?a=b' }, '/base_url'],
    ['an empty fragment', { base_url: 'https://api.example.com/#' }, '/base_url'],
    ['an encoded slash', { base_url: 'https://api.example.com/a%2Fb' }, '/base_url'],
    [
      'a token endpoint over http',
      { settings: { ...oauth2, token_endpoint: 'http://login.example.com' }, secret: { client_secret: canary } },
      '/settings/token_endpoint',
    ],
    [
      'an authorization endpoint of JavaScript',
      { settings: { ...oauth2, authorization_endpoint: 'javascript:alert(1)' }, secret: { client_secret: canary } },
      '/settings/authorization_endpoint',
    ],
    [
      'a header that frames',
      { settings: { kind: 'api_key', in: 'header', name: 'Host' }, secret: { key: canary } },
      '/settings/name',
    ],
    [
      'a prefix that splits the header',
      { settings: { kind: 'api_key', in: 'header', name: 'X', prefix: 'a\r\nb' }, secret: { key: canary } },
      '/settings',
    ],
    ['a health check at another host', { health_path: '//attacker.example/' }, '/health_path'],
    ['a health check above the base', { health_path: '/../admin' }, '/health_path'],
    ['a health check above it, encoded', { health_path: '/%2e%2e/admin' }, '/health_path'],
    ['a health check above it, half encoded', { health_path: '/..%2fadmin' }, '/health_path'],
    ['a name that is a path', { name: '../x' }, '/name'],
    ['a name of look-alikes', { name: 'gіthub' }, '/name'],
    ['an application that is not there', { applications: ['app_nobody'] }, '/applications/0'],
    ['an owner that is not there', { owner: randomUUID() }, '/owner'],
    ['an unknown field', { secret_version: 7 }, '/secret_version'],
  ])('%s', async (_name, given, pointer) => {
    const before = await countServices();
    const answer = await stage.create(given);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
    expect(await countServices()).toBe(before);
    await expectNotTold(stage, [canary], [answer.text]);
  });

  test.each([
    'https://127.0.0.1',
    'https://localhost',
    'https://api.localhost.',
    'https://2130706433',
    'https://0x7f.1',
    'https://10.0.0.7:8443/x',
    'https://169.254.169.254',
    'https://[::1]',
    'https://[::ffff:127.0.0.1]',
    'https://[fd00::1]',
  ])('an address that is not public: %s', async (base_url) => {
    for (const allow_private_addresses of [false, true]) {
      const answer = await stage.create({ base_url, allow_private_addresses });
      expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, '/base_url']);
    }
  });

  test('a private key of another certificate', async () => {
    const pair = createCertificate();
    const secret = { ...pair, private_key: createCertificate().private_key };
    const answer = await stage.create({ settings: { kind: 'mtls' }, secret });
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, '/secret/private_key']);
    const good = await stage.create({ settings: { kind: 'mtls' }, secret: pair });
    expect(good.status).toBe(201);
  });
});

describe('422', () => {
  test.each<[object, string]>([
    [{ roles: ['a'], groups: ['b'] }, 'ambiguous_requirement'],
    [{ not: { role: 'a' } }, 'invalid_requirement'],
    [{ roles: 'admin' }, 'invalid_requirement'],
  ])('the requirement %j', async (requirement, code) => {
    const answer = await stage.create({ requirement });
    expect([answer.status, answer.body.code]).toEqual([422, code]);
  });

  test('a database, where the store makes no accounts', async () => {
    const settings = {
      kind: 'database',
      host: 'db.example.com',
      database: 'app',
      creation_statements: [`CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`],
    };
    const given = { base_url: undefined, settings, secret: { username: 'root', password: random() } };
    const answer = await stage.create(given);
    expect([answer.status, answer.body.code]).toEqual([422, 'service_kind_unavailable']);
    const wrong = await stage.create({
      ...given,
      base_url: 'https://db.example.com',
      health_path: '/x',
      settings: { ...settings, host: '10.1.2.3', creation_statements: ['CREATE ROLE x'] },
    });
    expect(wrong.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([
      '/base_url',
      '/settings/host',
      '/settings/creation_statements',
      '/settings/creation_statements',
      '/health_path',
    ]);
  });
});

test('401, 403', async () => {
  await expectKeptOut(stage, { method: 'post', path, body: stage.body() });
});

describe('409', () => {
  test('a name that is taken keeps its service, and the second secret is not kept', async () => {
    const first = await stage.create();
    const secrets = await stage.tenant.db.sealedSecret.count();
    const answer = await stage.create({ name: first.body.name });
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
    expect(await stage.tenant.db.sealedSecret.count()).toBe(secrets);
  });

  test('of ten with one name at the same moment one is made, and one secret is kept', async () => {
    const secrets = await stage.tenant.db.sealedSecret.count();
    const name = `race-${randomUUID()}`;
    const answers = await Promise.all(Array.from({ length: 10 }, () => stage.create({ name })));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, ...Array<number>(9).fill(409)]);
    expect(await stage.tenant.db.sealedSecret.count()).toBe(secrets + 1);
  });

  test('another tenant may have a service of that name', async () => {
    const { body } = await stage.create();
    const answer = await stage.send('post', path, stage.body({ name: body.name, applications: [] }), stage.foreign);
    expect(answer.status).toBe(201);
  });
});

describe('a private address', () => {
  let own: ServicesStage;
  beforeAll(async () => {
    own = await createServicesStage({}, { AUTHSEC_DANGEROUSLY_ALLOW_PRIVATE_ADDRESSES: '1' });
  }, 60_000);
  afterAll(() => own?.close());

  test.each<[string, boolean, number]>([
    ['https://10.0.0.7', true, 201],
    ['https://localhost:8443', true, 201],
    ['https://10.0.0.7', false, 400],
    ['https://169.254.169.254', true, 400],
  ])('%s, where the operator allows them and the service says %s: %i', async (base_url, allowed, status) => {
    expect((await own.create({ base_url, allow_private_addresses: allowed })).status).toBe(status);
  });
});
