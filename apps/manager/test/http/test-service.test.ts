import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createCertificate } from '../support/certificate.js';
import { awayFor, createServicesStage, expectKeptOut, expectNotTold, type ServicesStage } from '../support/services.js';
import { createTestPerson, personBearer } from '../support/test-data.js';

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

let stage: ServicesStage;
let server: Server;
let origin: string;
const asked: IncomingMessage[] = [];
let answer: Answer | 'nothing';

beforeAll(async () => {
  stage = await createServicesStage(
    {},
    { AUTHSEC_DANGEROUSLY_ALLOW_HTTP: '1', AUTHSEC_DANGEROUSLY_ALLOW_PRIVATE_ADDRESSES: '1' },
  );
  server = createServer((request, response) => {
    asked.push(request);
    if (answer !== 'nothing') response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  origin = await listen(server);
}, 60_000);
afterAll(async () => {
  await close(server);
  await stage?.close();
});
beforeEach(() => {
  asked.length = 0;
  answer = { status: 200, body: 'canary-of-the-body' };
});

async function listen(one: Server): Promise<string> {
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
}
async function close(one: Server): Promise<void> {
  one.closeAllConnections();
  await new Promise((resolve) => one.close(resolve));
}
async function serviceWith(given: object = {}): Promise<string> {
  const made = await stage.create({
    base_url: `${origin}/api`,
    health_path: '/health?deep=1',
    allow_private_addresses: true,
    ...given,
  });
  if (made.status !== 201) throw new Error(`${made.status} ${made.text}`);
  return made.body.id as string;
}
const check = (id: string, by?: string) => stage.send('post', `/v1/services/${id}/test`, undefined, by);
const outcomeOf = async (id: string, by?: string) => {
  const { status, body } = await check(id, by);
  return status === 200 ? (body.outcome as string) : [status, body.code];
};

describe('200', () => {
  test.each<[string, object, object, (request: IncomingMessage) => unknown, unknown]>([
    ['a token', { kind: 'bearer' }, { token: 'canary-1' }, ({ headers }) => headers.authorization, 'Bearer canary-1'],
    [
      'a key in a header',
      { kind: 'api_key', in: 'header', name: 'X-Key' },
      { key: 'canary-1' },
      ({ headers }) => headers['x-key'],
      'canary-1',
    ],
    [
      'a key in the query',
      { kind: 'api_key', in: 'query', name: 'key' },
      { key: 'canary 1' },
      ({ url }) => url,
      '/api/health?deep=1&key=canary+1',
    ],
    [
      'name and password',
      { kind: 'basic' },
      { username: 'u', password: 'canary-1' },
      ({ headers }) => headers.authorization,
      `Basic ${Buffer.from('u:canary-1').toString('base64')}`,
    ],
  ])('%s is put on the request as a tool’s would be, and told to nobody', async (_n, settings, secret, part, value) => {
    const id = await serviceWith({ settings, secret });
    const { status, body, text } = await check(id);
    expect([status, body]).toEqual([200, { ok: true, outcome: 'ok', checked_at: expect.any(String) }]);
    expect(
      asked.map((request) => [request.method, request.url?.startsWith('/api/health?deep=1'), part(request)]),
    ).toEqual([['GET', true, value]]);
    const kept = await stage.send('get', `/v1/services/${id}`);
    expect(kept.body.last_check).toEqual({ at: body.checked_at, outcome: 'ok' });
    expect(await stage.audited(id, 'service.test')).toMatchObject([{ outcome: 'ok' }]);
    await expectNotTold(stage, ['canary-1', 'canary+1', 'canary-of-the-body'], [text, kept.text]);
  });

  test.each<[string, Answer, string]>([
    ['a refusal', { status: 401 }, 'http_401'],
    ['a failure', { status: 503 }, 'http_503'],
    ['a redirect, which is not followed', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'http_302'],
    ['more than anybody reads', { status: 200, body: 'x'.repeat(600_000) }, 'ok'],
  ])('%s of the service is the outcome', async (_name, given, outcome) => {
    answer = given;
    expect(await outcomeOf(await serviceWith())).toBe(outcome);
    expect(asked).toHaveLength(1);
  });

  test('a service that says nothing is waited for a moment', async () => {
    answer = 'nothing';
    expect(await outcomeOf(await serviceWith())).toBe('timeout');
  });

  test('one that is not there is unreachable', async () => {
    const gone = createServer();
    const url = await listen(gone);
    await close(gone);
    expect(await outcomeOf(await serviceWith({ base_url: url }))).toBe('unreachable');
  });

  test('a private address is refused where the service does not allow it, and nothing is sent', async () => {
    const id = await serviceWith();
    await stage.tenant.db.serviceConfiguration.update({ where: { id }, data: { allowPrivateAddresses: false } });
    expect(await outcomeOf(id)).toBe('address_refused');
    expect(asked).toEqual([]);
  });

  test('without a health path it is whether the credential can be had', async () => {
    const id = await serviceWith({ health_path: null });
    expect(await outcomeOf(id)).toBe('ok');
    const away = awayFor(stage.manager.container.secrets, 'read');
    expect(await stage.withStore(away, () => outcomeOf(id))).toBe('secret_store_unavailable');
    expect(asked).toEqual([]);
  });

  test('where people have accounts of their own, nobody else’s is used', async () => {
    const endpoints = { token_endpoint: `${origin}/token`, authorization_endpoint: `${origin}/auth`, client_id: 'x' };
    const id = await serviceWith({
      settings: { kind: 'oauth2_authorization_code', ...endpoints },
      secret: { client_secret: 'x-secret' },
    });
    expect(await outcomeOf(id)).toBe('service_not_connected');
    const admin = await createTestPerson(stage.tenant, { roles: ['authsec-admin'] });
    const by = await personBearer(stage.tenant, stage.application, admin, ['authsec-admin']);
    expect(await outcomeOf(id, by)).toBe('service_not_connected');
    expect(asked).toEqual([]);
  });

  test('a client certificate is presented, and the service is known by its authority', async () => {
    const [own, theirs] = [createCertificate(), createCertificate('server.test', { ofThisMachine: true })];
    const seen: (string | undefined)[] = [];
    const tls = createTlsServer(
      { key: theirs.private_key, cert: theirs.certificate, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        seen.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN as string | undefined);
        response.end();
      },
    );
    const url = (await listen(tls)).replace('http:', 'https:');
    const secret = { ...own, certificate_authority: theirs.certificate };
    const id = await serviceWith({ base_url: url, settings: { kind: 'mtls' }, secret });
    const stranger = await serviceWith({ base_url: url, settings: { kind: 'mtls' }, secret: own });
    const outcomes = [await outcomeOf(id), await outcomeOf(stranger)];
    await close(tls as unknown as Server);
    expect(outcomes).toEqual(['ok', 'unreachable']);
    expect(seen).toEqual(['client.test']);
  });
});

test('401 without a token, 403 without the right, 404 for another tenant and for nothing', async () => {
  const id = await serviceWith();
  await expectKeptOut(stage, { method: 'post', path: `/v1/services/${id}/test` });
  expect(await outcomeOf(id, stage.foreign)).toEqual([404, 'not_found']);
  expect(await outcomeOf(crypto.randomUUID())).toEqual([404, 'not_found']);
  expect(await outcomeOf('x')).toEqual([400, 'invalid_request']);
  expect(asked).toEqual([]);
});
