import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AppError } from '../../src/errors/app-error.js';
import type { NewApplication } from '../../src/modules/applications/application.js';
import { createApplication } from '../../src/modules/applications/applications.service.js';
import { compareClientSecret, hashClientSecret } from '../../src/modules/applications/client-secret.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

let manager: TestManager;
let tenant: TestTenant;

beforeAll(async () => {
  manager = await createTestManager();
  tenant = await manager.createTenant();
});
afterAll(() => manager.close());

const create = (input: NewApplication) => createApplication(tenant.db, input);

describe('creating an application', () => {
  test('gives a secret of 256 bits once and stores its hash', async () => {
    const { clientId, clientSecret = '' } = await create({ name: 'Demo', completionPage: true });
    expect(clientSecret).toMatch(/^[\w-]{43}$/);
    const row = await tenant.db.application.findUniqueOrThrow({ where: { clientId } });
    expect(JSON.stringify(row)).not.toContain(clientSecret);
    expect(compareClientSecret(row.clientSecretHash!, clientSecret)).toBe(true);
    expect(row).toMatchObject({
      tokenEndpointAuthMethod: 'client_secret_basic',
      grantTypes: ['authorization_code', 'client_credentials'],
      scopes: [],
      completionPage: true,
      pasteToken: false,
    });
  });

  test('gives a public client no secret and no client credentials', async () => {
    const { clientId, clientSecret } = await create({
      name: 'Command line',
      publicClient: true,
      redirectUris: ['http://127.0.0.1/callback', 'http://[::1]/callback'],
    });
    expect(clientSecret).toBeUndefined();
    expect(await tenant.db.application.findUnique({ where: { clientId } })).toMatchObject({
      clientSecretHash: null,
      tokenEndpointAuthMethod: 'none',
      applicationType: 'native',
      grantTypes: ['authorization_code'],
    });
  });

  test('is refused under a client id that is taken', async () => {
    await create({ name: 'One', clientId: 'taken' });
    await expect(create({ name: 'Two', clientId: 'taken' })).rejects.toMatchObject({ code: 'conflict' });
  });

  test.each<[string, Partial<NewApplication>, string]>([
    ['no name', { name: ' ' }, '/name'],
    ['a client id with a colon', { clientId: 'a:b' }, '/client_id'],
    ['plain http', { redirectUris: ['http://app.test/'] }, '/redirect_uris/0'],
    ['a fragment', { redirectUris: ['https://app.test/', 'https://app.test/#a'] }, '/redirect_uris/1'],
    ['credentials', { redirectUris: ['https://u:p@app.test/'] }, '/redirect_uris/0'],
    ['a script', { redirectUris: ['javascript:alert(1)'] }, '/redirect_uris/0'],
    ['no URL', { redirectUris: ['back'] }, '/redirect_uris/0'],
    ['a resource that is no URL', { resourceUrl: 'mcp' }, '/resource_url'],
    ['a resource with a fragment', { resourceUrl: 'https://a.test/#b' }, '/resource_url'],
    [
      'a token to paste for a public client',
      { publicClient: true, completionPage: true, pasteToken: true },
      '/paste_token',
    ],
    ['a token to paste without the page', { pasteToken: true, redirectUris: ['https://a.test/'] }, '/paste_token'],
    ['a public machine', { publicClient: true, grantTypes: ['client_credentials'] }, '/grant_types'],
  ])('is refused with %s', async (_what, input, pointer) => {
    const error: unknown = await create({ name: 'Demo', ...input }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'invalid_request', fields: [{ pointer }] });
  });
});

describe('client secrets', () => {
  test('compare equal to their own hash only', () => {
    const stored = hashClientSecret('secret');
    expect(compareClientSecret(stored, 'secret')).toBe(true);
    for (const wrong of ['Secret', '', stored, 'secret ']) expect(compareClientSecret(stored, wrong)).toBe(false);
    for (const broken of ['', 'x', stored.slice(1)]) expect(compareClientSecret(broken, 'secret')).toBe(false);
  });
});
