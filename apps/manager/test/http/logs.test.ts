import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { Secret } from '../../src/config/secret.js';
import { AppError } from '../../src/errors/app-error.js';
import { loggablePath } from '../../src/http/middleware/request-log.js';
import { createKeptLog } from '../support/kept-log.js';
import {
  createTestApplication,
  createTestLogin,
  createTestPerson,
  personBearer,
  random,
  type TestApplication,
} from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

const log = createKeptLog('trace');
const { logger } = log;

describe('the requests of the API', () => {
  let manager: TestManager;
  let tenant: TestTenant;
  let application: TestApplication;
  beforeAll(async () => {
    manager = await createTestManager({ logger });
    tenant = await manager.createTenant();
    application = await createTestApplication(tenant);
  });
  afterAll(() => manager.close());

  test('leave no token, code, password, cookie, query or body in any log line, whatever their outcome', async () => {
    const person = await createTestPerson(tenant, { roles: ['authsec-admin'] });
    const admin = await personBearer(tenant, application, person, ['authsec-admin']);
    const own = await application.bearer();
    const login = await createTestLogin(tenant, application, person);
    const token = await login.token();
    const [password, code, cookie, idempotencyKey] = [random(), random(), random(), random()];
    const email = `${random(6).toLowerCase()}@example.test`;
    const broken = await createTestManager({ logger });
    const secrets = [own, admin, token, password, code, cookie, idempotencyKey, email, login.mcpSession]
      .map((secret) => secret.replace('Bearer ', ''))
      .flatMap((secret) => [secret, ...secret.split('.')].filter((part) => part.length > 8));

    const api = (app = manager.app) => ({
      bind: (authorization: string) =>
        request(app)
          .post('/v1/sessions')
          .set('Authorization', authorization)
          .set('Cookie', `_session=${cookie}`)
          .set('Idempotency-Key', idempotencyKey)
          .send({ access_token: token, mcp_session: login.mcpSession }),
    });
    await api().bind(own);
    await api().bind(own);
    await api().bind(`${own}x`);
    await api(broken.app).bind(own);
    await request(manager.app).post('/v1/users').set('Authorization', admin).send({ email, password });
    await request(manager.app).post('/v1/users').set('Authorization', admin).send({ email, password });
    await request(manager.app)
      .post('/v1/users')
      .set('Authorization', admin)
      .set('Content-Type', 'application/json')
      .send(`{"password":"${password}"`);
    await request(manager.app).get(`/v1/users?email=${email}`).set('Authorization', admin);
    await request(manager.app).get(`/v1/sessions?access_token=${token}`);
    await request(manager.app).get(`/t/${tenant.id}/go/${code}`);
    await request(manager.app).get(`/t/${tenant.id}/auth?code=${code}&state=${code}`);
    await request(manager.app).get(`/t/${tenant.id}/${token}`);
    await request(manager.app).get(`/${token}`);
    await request(manager.app)
      .post(`/t/${tenant.id}/token`)
      .auth(application.clientId, password)
      .type('form')
      .send({ grant_type: 'authorization_code', code, code_verifier: code });
    await broken.close();

    expect(log.text().split('\n').length).toBeGreaterThan(15);
    expect(secrets.filter((secret) => log.text().includes(secret))).toEqual([]);
  });

  test('each has one line with its id, method, place, status and time', async () => {
    const { headers } = await request(manager.app).get('/v1/tenants?x=1');
    const lines = log
      .text()
      .split('\n')
      .filter((line) => line.includes(headers['x-request-id']!));
    const line = lines
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .find((one) => one['msg'] === 'request');
    expect(line).toMatchObject({ level: 'info', method: 'GET', path: '/v1/tenants', status: 401 });
  });
});

describe('loggablePath', () => {
  test.each([
    ['/v1/sessions/abc?x=1', '/v1/sessions/:sid', '/v1/sessions/:sid'],
    ['/t/acme/go/secret-id', '/go/:id', '/t/acme/go/…'],
    ['/t/acme/token', undefined, '/t/acme/token'],
    ['/t/acme/eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.x', undefined, '(unmatched)'],
    ['/eyJhbGciOiJFUzI1NiJ9.e30.x', undefined, '(unmatched)'],
    ['/healthz?x=1', undefined, '/healthz'],
  ])('%s', (url, template, expected) => {
    expect(loggablePath(url, template)).toBe(expected);
  });
});

describe('logged errors', () => {
  const lineOf = (err: unknown) => {
    log.clear();
    logger.error({ err, secret: new Secret('hunter2') }, 'x');
    return log.text();
  };

  test('carry no token, password in a URL or header, nor what foreign errors have beside their message', () => {
    const foreign = Object.assign(new Error('connect postgresql://u:hunter2@db/x with Bearer hunter2-token'), {
      code: 'E1',
      config: { headers: { authorization: 'hunter2' } },
      query: "INSERT INTO x VALUES ('hunter2')",
    });
    const line = lineOf(
      new AppError('internal_error', 'failed for eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln', { cause: foreign }),
    );
    expect(line).not.toMatch(/hunter2|eyJ/);
    expect(JSON.parse(line)).toMatchObject({
      secret: '[redacted]',
      err: { name: 'AppError', code: 'internal_error', message: 'failed for [token]', cause: { code: 'E1' } },
    });
  });

  test('what is no error is written too, and a circle of causes ends', () => {
    expect(JSON.parse(lineOf('a string'))).toMatchObject({ err: { name: 'NonError', message: 'a string' } });
    const circle = new Error('round');
    circle.cause = circle;
    expect(lineOf(circle)).toContain('round');
  });
});
