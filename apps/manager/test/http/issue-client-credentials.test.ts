import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Fault, type OAuthService, startOAuthService } from '../support/oauth-service.js';
import { createServicesStage, expectNotTold, type ServicesStage } from '../support/services.js';
import { createTestLogin, createTestPerson, random } from '../support/test-data.js';

let stage: ServicesStage;
let oauth: OAuthService;
let sid: string;
let caller: string;

beforeAll(async () => {
  stage = await createServicesStage(
    {},
    { AUTHSEC_DANGEROUSLY_ALLOW_HTTP: '1', AUTHSEC_DANGEROUSLY_ALLOW_PRIVATE_ADDRESSES: '1' },
  );
  oauth = await startOAuthService();
  caller = await stage.application.bearer();
  const person = await createTestPerson(stage.tenant, { roles: ['developer'] });
  ({ sid } = await createTestLogin(stage.tenant, stage.application, person, { bound: true }));
}, 60_000);
afterAll(async () => {
  await oauth?.close();
  await stage?.close();
});
afterEach(() => {
  oauth.fault = undefined;
  oauth.beforeAnswer = undefined;
});

interface ClientService {
  readonly id: string;
  readonly name: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

async function clientService(settings: object = {}, rest: object = {}): Promise<ClientService> {
  const { clientId, clientSecret } = oauth.newClient();
  const { token_endpoint } = oauth.settings;
  const answer = await stage.create({
    settings: { kind: 'oauth2_client_credentials', token_endpoint, client_id: clientId, ...settings },
    secret: { client_secret: clientSecret },
    allow_private_addresses: true,
    ...rest,
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
  return { ...(answer.body as { id: string; name: string }), clientId, clientSecret };
}
const issue = (service: string, rest: object = {}) =>
  stage.send('post', '/v1/service-credentials', { sid, service, ...rest }, caller);
const requestsOf = ({ clientId }: ClientService) =>
  oauth.tokenRequests('client_credentials').filter(({ authorization = '' }) => {
    const [user = ''] = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':');
    return decodeURIComponent(user.replaceAll('+', ' ')) === clientId;
  });

describe('a token', () => {
  test('is one that counts at the service, with the scope that was asked for', async () => {
    const service = await clientService({ scope: 'repo' });
    const { status, body } = await issue(service.name);
    expect([status, body.credential.type]).toEqual([201, 'bearer']);
    expect(await oauth.holderOf(body.credential.token)).toBe(service.clientId);
    expect(body.expires_in).toBeGreaterThan(280);
    expect(oauth.requests.at(-1)?.form.get('scope')).toBe('repo');
  });

  test.each(['client_secret_basic', 'client_secret_post'])('is fetched with %s', async (method) => {
    const service = await clientService({ token_endpoint_auth_method: method });
    expect((await issue(service.name)).status).toBe(201);
    const { form, authorization } = oauth.requests.at(-1)!;
    expect([authorization?.slice(0, 6), form.has('client_secret')]).toEqual(
      method === 'client_secret_basic' ? ['Basic ', false] : [undefined, true],
    );
  });

  test('is kept, and fetched by one request whatever number needs it at the same moment', async () => {
    const service = await clientService();
    const answers = await Promise.all(Array.from({ length: 8 }, () => issue(service.name)));
    const tokens = new Set(answers.map(({ body }) => body.credential.token as string));
    expect([tokens.size, requestsOf(service).length]).toEqual([1, 1]);
    await issue(service.name);
    expect(requestsOf(service)).toHaveLength(1);
  });

  test('is not kept beyond its life', async () => {
    const service = await clientService();
    const short = (): Fault => ({
      body: JSON.stringify({ access_token: random(), token_type: 'Bearer', expires_in: 0.002 }),
    });
    oauth.fault = short;
    const { body } = await issue(service.name);
    expect(body.expires_in).toBeLessThan(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await issue(service.name);
    expect(requestsOf(service)).toHaveLength(2);
  });

  test('is another one after a rotation, and after a change of what it was got by', async () => {
    const service = await clientService();
    const first = (await issue(service.name)).body.credential.token;
    const rotation = { secret: { client_secret: service.clientSecret } };
    await stage.send('post', `/v1/services/${service.id}/rotate`, rotation);
    const second = (await issue(service.name)).body.credential.token;
    const { token_endpoint } = oauth.settings;
    const settings = { kind: 'oauth2_client_credentials', token_endpoint, client_id: service.clientId, scope: 'repo' };
    const changed = await stage.send('patch', `/v1/services/${service.id}`, { settings, ...rotation });
    expect(changed.status).toBe(200);
    const third = (await issue(service.name)).body.credential.token;
    expect(new Set([first, second, third]).size).toBe(3);
  });

  test('comes by the secret before, as long as the service knows only that one', async () => {
    const service = await clientService();
    const rotate = (overlap_seconds: number) =>
      stage.send('post', `/v1/services/${service.id}/rotate`, {
        secret: { client_secret: 'not-there-yet' },
        overlap_seconds,
      });
    expect((await rotate(60)).status).toBe(200);
    const answer = await issue(service.name);
    expect(await oauth.holderOf(answer.body.credential.token)).toBe(service.clientId);
    expect((await rotate(0)).status).toBe(200);
    expect((await issue(service.name)).body.code).toBe('service_unavailable');
  });

  test('does not come by the secret before once its time is over, though it is still there', async () => {
    const service = await clientService();
    const rotation = { secret: { client_secret: 'not-there-yet' }, overlap_seconds: 60 };
    await stage.send('post', `/v1/services/${service.id}/rotate`, rotation);
    const data = { previousSecretUntil: new Date(Date.now() - 1) };
    await stage.tenant.db.serviceConfiguration.update({ where: { id: service.id }, data });
    expect((await issue(service.name)).body.code).toBe('service_unavailable');
  });

  test('of one service is not given for another, though everything else is the same', async () => {
    const { clientId, clientSecret, name } = await clientService();
    const { token_endpoint } = oauth.settings;
    const twin = await stage.create({
      settings: { kind: 'oauth2_client_credentials', token_endpoint, client_id: clientId },
      secret: { client_secret: clientSecret },
      allow_private_addresses: true,
    });
    const one = await issue(name);
    const two = await issue(twin.body.name as string);
    expect(one.body.credential.token).not.toBe(two.body.credential.token);
  });
});

describe('a token endpoint', () => {
  test.each<[string, Fault]>([
    ['that refuses the client', { status: 401, body: '{"error":"invalid_client"}' }],
    ['that fails', { status: 500, body: 'oops' }],
    ['that resets the connection', { reset: true }],
    ['that sends elsewhere', { status: 302, headers: { location: 'https://elsewhere.test/' } }],
    ['that answers HTML', { headers: { 'content-type': 'text/html' }, body: '<p>canary-in-page</p>' }],
    ['that answers half a JSON', { body: '{"access_token":"canary-in-page' }],
    ['that answers without a token', { body: '{"token_type":"Bearer"}' }],
    ['that answers another type of token', { body: '{"access_token":"canary-in-page","token_type":"mac"}' }],
    [
      'that answers a token with a line break',
      { body: '{"access_token":"canary-in-page\\r\\nX-Evil: 1","token_type":"Bearer"}' },
    ],
    ['that says an error with status 200', { body: '{"error":"access_denied"}' }],
    ['that answers without end', { body: `{"access_token":"${'x'.repeat(600_000)}"}` }],
  ])('%s gives service_unavailable, and nothing of its answer', async (_name, fault) => {
    const service = await clientService();
    oauth.fault = ({ path }) => (path === '/token' ? fault : undefined);
    const answer = await issue(service.name);
    expect([answer.status, answer.body.code]).toEqual([502, 'service_unavailable']);
    await expectNotTold(stage, ['canary-in-page', service.clientSecret], [answer.text]);
    oauth.fault = undefined;
    expect((await issue(service.name)).status).toBe(201);
  });

  test('that hangs is waited for no longer than two seconds', async () => {
    const service = await clientService();
    oauth.fault = () => ({ hang: true });
    const startedAt = performance.now();
    const answer = await issue(service.name);
    expect([answer.status, answer.body.code]).toEqual([502, 'service_unavailable']);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test('at a private address needs the word of the service too', async () => {
    const service = await clientService();
    const where = { id: service.id };
    await stage.tenant.db.serviceConfiguration.update({ where, data: { allowPrivateAddresses: false } });
    const before = oauth.requests.length;
    const answer = await issue(service.name);
    expect([answer.status, answer.body.code]).toEqual([502, 'service_unavailable']);
    expect(oauth.requests).toHaveLength(before);
  });
});

test('the client secret is in none of what was let out', async () => {
  const service = await clientService();
  const answer = await issue(service.name);
  const { clientSecret } = service;
  const spellings = [clientSecret, encodeURIComponent(clientSecret), Buffer.from(clientSecret).toString('base64')];
  await expectNotTold(
    stage,
    [...spellings, answer.body.credential.token as string],
    [JSON.stringify(await stage.tenant.db.serviceConfiguration.findMany({ where: { id: service.id } }))],
  );
});
