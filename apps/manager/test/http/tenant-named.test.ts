import type { Route } from '@authsec/manager-client/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { contractRoutes } from '../../src/http/routes.js';
import { createTestApplication, createTestLogin, createTestPerson } from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

let manager: TestManager;
let own: TestTenant;
let other: TestTenant;
/** An administrator's token of the first tenant. */
let bearer: string;
/** What stands in the second tenant, and in no answer to the first. */
let marks: string[];
let ids: Record<string, string>;
let before: string;

beforeAll(async () => {
  manager = await createTestManager();
  [own, other] = [await manager.createTenant(), await manager.createTenant()];
  bearer = await (await createTestApplication(own, { roles: ['authsec-admin'] })).bearer();
  const application = await createTestApplication(other, { scopes: ['read'] });
  const person = await createTestPerson(other, { roles: ['their-role'], groups: ['their-group'] });
  const { sid } = await createTestLogin(other, application, person, { bound: true });
  marks = [person.id, person.email, application.clientId, sid, 'their-role', 'their-group'];
  ids = { sid, user_id: person.id, tenant_id: other.id, kind: 'roles', name: 'their-role' };
});
beforeEach(async () => {
  before = await contentOf(other);
});
afterAll(() => manager.close());

/** All that a request could change. */
async function contentOf({ db }: TestTenant): Promise<string> {
  const tables = await Promise.all([
    db.user.findMany({ orderBy: { id: 'asc' } }),
    db.userRole.findMany({ orderBy: { userId: 'asc' } }),
    db.groupMember.findMany({ orderBy: { userId: 'asc' } }),
    db.application.findMany({ orderBy: { id: 'asc' } }),
    db.session.findMany({ orderBy: { id: 'asc' } }),
    db.signingKey.findMany({ orderBy: { kid: 'asc' } }),
    db.identityProvider.findMany({ orderBy: { id: 'asc' } }),
    db.signInSettings.findMany(),
    db.decision.count(),
    db.auditEvent.count(),
    db.policyState.findMany(),
  ]);
  return JSON.stringify(tables, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

const fallback = '00000000-0000-4000-8000-000000000000';
const pathOf = (route: Route) => route.path.replaceAll(/:(\w+)/g, (_, name: string) => ids[name] ?? fallback);
const everyRoute = contractRoutes()
  .filter((route) => route.path !== '/v1/changes')
  .map((route): [string, Route] => [`${route.method} ${route.path}`, route]);

const ways: Record<
  string,
  (tenant: TestTenant) => { headers?: Record<string, string>; query?: object; body?: object }
> = {
  'a path of its own things': () => ({}),
  headers: ({ id, issuer }) => ({
    headers: {
      'X-Tenant-Id': id,
      'X-Tenant': id,
      'X-Forwarded-Prefix': `/t/${id}`,
      'X-Original-URL': `/t/${id}/v1/users`,
      Host: `${id}.authsec.test`,
      Referer: `${issuer}/`,
      Cookie: `tenant_id=${id}; tenant=${id}`,
    },
  }),
  'the query': ({ id, issuer }) => ({ query: { tenant: id, tenant_id: id, iss: issuer } }),
  'the body': ({ id, issuer }) => ({
    body: { tenant: id, tenant_id: id, issuer, sid: ids['sid'], sids: [ids['sid']] },
  }),
};

describe.each(Object.keys(ways))('another tenant named in %s', (way) => {
  test.each(everyRoute)('is neither shown nor changed by %s', async (_name, route) => {
    const { headers = {}, query = {}, body = {} } = ways[way]!(other);
    const method = route.method.toLowerCase() as 'post';
    const asked = request(manager.app)[method](pathOf(route));
    const answer = await asked
      .set({ ...headers, Authorization: bearer })
      .query(query)
      .send(route.method === 'GET' ? undefined : body);
    for (const mark of marks) expect(answer.text).not.toContain(mark);
    expect(await contentOf(other)).toBe(before);
  });
});
