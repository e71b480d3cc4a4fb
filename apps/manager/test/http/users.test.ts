import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { verifyPassword } from '../../src/modules/sign-in/passwords.js';
import {
  createTestApplication,
  createTestLogin,
  createTestPerson,
  createTestRole,
  personBearer,
  random,
  type TestApplication,
} from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

let manager: TestManager;
let tenant: TestTenant;
let application: TestApplication;
let admin: string;
let nobody: string;
let elsewhere: string;

beforeAll(async () => {
  manager = await createTestManager();
  tenant = await manager.createTenant();
  application = await createTestApplication(tenant);
  const operator = await createTestPerson(tenant, { roles: ['authsec-admin'] });
  admin = await personBearer(tenant, application, operator, ['authsec-admin']);
  nobody = await personBearer(tenant, application, await createTestPerson(tenant), []);
  const other = await manager.createTenant();
  elsewhere = await (await createTestApplication(other, { roles: ['authsec-admin'] })).bearer();
});
afterAll(() => manager.close());

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
const call = async (method: Method, path: string, body?: object, authorization: string | null = admin) => {
  const one = request(manager.app)[method](path);
  if (authorization !== null) one.set('Authorization', authorization);
  return body === undefined ? one : one.send(body);
};
const audited = (action: string, targetId: string) =>
  tenant.db.auditEvent.findMany({ where: { action, targetId }, orderBy: { id: 'asc' } });

describe('POST /v1/users', () => {
  test('201: made in lower case, with a password that is stored as a hash and audited as redacted', async () => {
    const local = random(6).toLowerCase();
    const answer = await call('post', '/v1/users', {
      email: `${local.toUpperCase()}@Example.test`,
      display_name: 'A Person',
      password: 'correct horse battery',
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ email: `${local}@example.test`, email_verified: false, status: 'active' });
    expect(answer.text).not.toContain('correct horse');
    const { passwordHash } = await tenant.db.passwordCredential.findUniqueOrThrow({
      where: { userId: answer.body.id },
    });
    expect(await verifyPassword(passwordHash, 'correct horse battery')).toBe(true);
    const [event] = await audited('user.create', answer.body.id);
    expect(event).toMatchObject({ actorKind: 'user', outcome: 'done', requestId: answer.headers['x-request-id'] });
    expect(event!.details).toEqual({ email: `${local}@example.test`, password: '[redacted]' });
  });

  test('409 for an address that is taken, whatever its case', async () => {
    const { email } = await createTestPerson(tenant);
    const answer = await call('post', '/v1/users', { email: email.toUpperCase() });
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
  });

  test.each([{}, { email: 'x' }, { email: 'a@b.test', password: 'short' }, { email: 'a@b.test', roles: ['admin'] }])(
    '400 for %j, and the fields that are wrong',
    async (body) => {
      const answer = await call('post', '/v1/users', body);
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
      expect(answer.body.errors[0].pointer).toMatch(/^\//);
    },
  );

  test('401 and 403', async () => {
    const body = { email: 'a@b.test' };
    expect((await call('post', '/v1/users', body, null)).status).toBe(401);
    expect((await call('post', '/v1/users', body, nobody)).status).toBe(403);
    expect((await call('post', '/v1/users', body, await application.bearer())).status).toBe(403);
  });
});

describe('GET /v1/users', () => {
  test('200: page by page and by address', async () => {
    const { email, id } = await createTestPerson(tenant);
    const found = await call('get', `/v1/users?email=${encodeURIComponent(email.toUpperCase())}`);
    expect(found.body.users.map((user: { id: string }) => user.id)).toEqual([id]);
    const seen: string[] = [];
    for (let path: string | null = '/v1/users?limit=2'; path;) {
      const { users, next }: { users: { id: string }[]; next: string | null } = (await call('get', path)).body;
      seen.push(...users.map((user) => user.id));
      path = next && `/v1/users?limit=2&after=${next}`;
    }
    expect(seen).toHaveLength(await tenant.db.user.count());
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('400, 401, 403, and nothing of it from another tenant', async () => {
    expect((await call('get', '/v1/users?after=x')).status).toBe(400);
    expect((await call('get', '/v1/users', undefined, null)).status).toBe(401);
    expect((await call('get', '/v1/users', undefined, nobody)).status).toBe(403);
    expect((await call('get', '/v1/users', undefined, elsewhere)).body.users).toEqual([]);
  });
});

describe('GET /v1/users/:user_id', () => {
  test('200, 400, 401, 403, 404 for an unknown one and from another tenant', async () => {
    const { id } = await createTestPerson(tenant);
    expect((await call('get', `/v1/users/${id}`)).body).toMatchObject({ id });
    expect((await call('get', '/v1/users/x')).status).toBe(400);
    expect((await call('get', `/v1/users/${id}`, undefined, null)).status).toBe(401);
    expect((await call('get', `/v1/users/${id}`, undefined, nobody)).status).toBe(403);
    expect((await call('get', `/v1/users/${randomUUID()}`)).status).toBe(404);
    expect((await call('get', `/v1/users/${id}`, undefined, elsewhere)).status).toBe(404);
  });
});

describe('PATCH /v1/users/:user_id', () => {
  test('200: disabling ends every session of the person, and is audited', async () => {
    const person = await createTestPerson(tenant);
    const logins = [1, 2].map(() => createTestLogin(tenant, application, person, { bound: true }));
    const sids = (await Promise.all(logins)).map((login) => login.sid);
    const answer = await call('patch', `/v1/users/${person.id}`, { status: 'disabled', display_name: 'Gone' });
    expect(answer.body).toMatchObject({ status: 'disabled', display_name: 'Gone' });
    const rows = await tenant.db.session.findMany({ where: { id: { in: sids } } });
    expect(rows.map((row) => row.endReason)).toEqual(['user_disabled', 'user_disabled']);
    const [event] = await audited('user.update', person.id);
    expect(event!.details).toEqual({ status: 'disabled', displayName: 'Gone' });
    expect((await call('patch', `/v1/users/${person.id}`, { status: 'active' })).body.status).toBe('active');
  });

  test('400, 401, 403, 404', async () => {
    const { id } = await createTestPerson(tenant);
    const change = { display_name: 'x' };
    expect((await call('patch', `/v1/users/${id}`, { email: 'new@x.test' })).status).toBe(400);
    expect((await call('patch', `/v1/users/${id}`, change, null)).status).toBe(401);
    expect((await call('patch', `/v1/users/${id}`, change, nobody)).status).toBe(403);
    expect((await call('patch', `/v1/users/${randomUUID()}`, change)).status).toBe(404);
    expect((await call('patch', `/v1/users/${id}`, change, elsewhere)).status).toBe(404);
  });
});

describe('PUT and DELETE /v1/users/:user_id/:kind/:name', () => {
  beforeAll(async () => {
    await createTestRole(tenant, 'editor', ['articles:edit']);
    await tenant.db.group.create({ data: { name: 'constructor' } });
    await tenant.db.scope.create({ data: { name: 'read / write' } });
    await tenant.db.resource.create({ data: { name: 'analytics' } });
  });

  test.each([
    ['roles', 'editor'],
    ['groups', 'constructor'],
    ['scopes', 'read / write'],
    ['resources', 'analytics'],
  ])('204: gives and takes %s', async (kind, name) => {
    const { id } = await createTestPerson(tenant);
    const path = `/v1/users/${id}/${kind}/${encodeURIComponent(name)}`;
    const expiresAt = '2999-01-01T00:00:00.000Z';
    const list = async () => (await call('get', `/v1/users/${id}/${kind}`)).body.assignments;
    expect((await call('put', path, {})).status).toBe(204);
    expect(await list()).toEqual([{ name, expires_at: null }]);
    expect((await call('put', path, { expires_at: expiresAt })).status).toBe(204);
    expect(await list()).toEqual([{ name, expires_at: expiresAt }]);
    expect((await call('delete', path)).status).toBe(204);
    expect((await call('delete', path)).status).toBe(204);
    expect(await list()).toEqual([]);
    const events = [...(await audited('assignment.put', id)), ...(await audited('assignment.delete', id))];
    expect(events.map((event) => [event.outcome, (event.details as { name: string }).name])).toEqual(
      Array.from({ length: 4 }, () => ['done', name]),
    );
  });

  test('each bumps the policy version', async () => {
    const { id } = await createTestPerson(tenant);
    const version = async () => (await tenant.db.policyState.findFirstOrThrow()).policyVersion;
    const before = await version();
    await call('put', `/v1/users/${id}/roles/editor`, {});
    const given = await version();
    await call('delete', `/v1/users/${id}/roles/editor`);
    expect([given > before, (await version()) > given]).toEqual([true, true]);
  });

  test('400, 401, 403 and 404', async () => {
    const { id } = await createTestPerson(tenant);
    for (const method of ['put', 'delete'] as const) {
      const body = method === 'put' ? {} : undefined;
      const path = `/v1/users/${id}/roles/editor`;
      expect((await call(method, `/v1/users/${id}/permissions/x`, body)).status).toBe(400);
      expect((await call(method, `/v1/users/x/roles/editor`, body)).status).toBe(400);
      expect((await call(method, path, body, null)).status).toBe(401);
      expect((await call(method, path, body, nobody)).status).toBe(403);
      expect((await call(method, `/v1/users/${id}/roles/unknown`, body)).status).toBe(404);
      expect((await call(method, `/v1/users/${id}/roles/Editor`, body)).status).toBe(404);
      expect((await call(method, `/v1/users/${randomUUID()}/roles/editor`, body)).status).toBe(404);
      expect((await call(method, path, body, elsewhere)).status).toBe(404);
    }
    expect((await call('put', `/v1/users/${id}/roles/editor`, { expires_at: 'soon' })).status).toBe(400);
  });
});

describe('nobody hands out more than they have', () => {
  let helpdesk: string;
  let targetId: string;

  beforeAll(async () => {
    await createTestRole(tenant, 'helpdesk', ['authsec:assignments:write', 'authsec:users:*']);
    await createTestRole(tenant, 'reader', ['authsec:users:read']);
    await createTestRole(tenant, 'user-manager', ['authsec:users:*']);
    await createTestRole(tenant, 'auditor', ['authsec:users:read', 'authsec:audit:read']);
    await tenant.db.group.create({
      data: { name: 'admins', roles: { create: { role: { connect: { name: 'authsec-admin' } } } } },
    });
    const person = await createTestPerson(tenant, { roles: ['helpdesk'] });
    helpdesk = await personBearer(tenant, application, person, ['helpdesk']);
    targetId = (await createTestPerson(tenant)).id;
  });

  test.each(['roles/authsec-admin', 'roles/auditor', 'groups/admins'])('403: %s', async (what) => {
    const answer = await call('put', `/v1/users/${targetId}/${what}`, {}, helpdesk);
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_permission']);
    const [kind] = what.split('/');
    expect((await call('get', `/v1/users/${targetId}/${kind}`)).body.assignments).toEqual([]);
    const events = await audited('assignment.put', targetId);
    expect(events.at(-1)).toMatchObject({ outcome: 'refused' });
  });

  test.each(['roles/editor', 'roles/reader', 'roles/user-manager'])('204: %s', async (what) => {
    expect((await call('put', `/v1/users/${targetId}/${what}`, {}, helpdesk)).status).toBe(204);
    await call('delete', `/v1/users/${targetId}/${what}`);
  });

  test('403 for what one has for an hour only, where it is to last longer', async () => {
    const person = await createTestPerson(tenant, { roles: ['helpdesk'] });
    const own = await personBearer(tenant, application, person, ['helpdesk']);
    const inAnHour = new Date(Date.now() + 3_600_000);
    await tenant.db.userRole.updateMany({ where: { userId: person.id }, data: { expiresAt: inAnHour } });
    const put = async (expires_at: Date | null) =>
      (await call('put', `/v1/users/${person.id}/roles/reader`, { expires_at: expires_at?.toISOString() ?? null }, own))
        .status;
    expect(await put(null)).toBe(403);
    expect(await put(new Date(inAnHour.getTime() + 1))).toBe(403);
    expect(await put(inAnHour)).toBe(204);
  });

  test('not to oneself either, nor what a token of few claims leaves out', async () => {
    const person = await createTestPerson(tenant, { roles: ['helpdesk', 'authsec-admin'] });
    const narrow = await personBearer(tenant, application, person, ['helpdesk']);
    const other = await createTestPerson(tenant);
    expect((await call('put', `/v1/users/${other.id}/roles/authsec-admin`, {}, narrow)).status).toBe(403);
    const full = await personBearer(tenant, application, person, ['helpdesk', 'authsec-admin']);
    expect((await call('put', `/v1/users/${other.id}/roles/authsec-admin`, {}, full)).status).toBe(204);
  });
});
