import { createHash } from 'node:crypto';
import { canonicalJson, type ManifestTool } from '@authsec/manager-client/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
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
let other: TestApplication;
let reader: string;

beforeAll(async () => {
  manager = await createTestManager();
  tenant = await manager.createTenant();
  await createTestRole(tenant, 'manifest-reader', ['authsec:manifests:read', 'authsec:sessions:read']);
});
afterAll(() => manager.close());
beforeEach(async () => {
  application = await createTestApplication(tenant);
  other = await createTestApplication(tenant);
  const person = await createTestPerson(tenant, { roles: ['manifest-reader'] });
  reader = await personBearer(tenant, other, person, ['manifest-reader']);
});

const digest = (value: unknown) => createHash('sha256').update(canonicalJson(value)).digest('base64url');
const tool = (name: string, more: Partial<ManifestTool> = {}): ManifestTool => ({
  name,
  description_digest: digest(`description of ${name}`),
  input_schema_digest: digest({ type: 'object' }),
  output_schema_digest: null,
  public: false,
  requirement: {},
  ...more,
});
const publicTool = (name: string) => tool(name, { public: true, requirement: null });

async function publish(
  tools: readonly unknown[],
  { by = application, named = digest({ tools }), query = '', authorization = '' } = {},
) {
  const answer = await request(manager.app)
    .put(`/v1/manifests/${named}${query}`)
    .set('Authorization', authorization || (await by.bearer()))
    .send({ tools });
  return { answer, digest: named };
}
async function get(path: string, { by = application, authorization = '' } = {}) {
  return request(manager.app)
    .get(path)
    .set('Authorization', authorization || (await by.bearer()));
}
const currentOf = async (by = application) =>
  (await get('/v1/manifests', { by })).body.manifests.filter((one: { current: boolean }) => one.current);

const first = [publicTool('about'), tool('invoices', { requirement: { roles: ['accountant'] } })];
const second = [...first, tool('refund', { requirement: { permission: 'invoices:refund' } })];

describe('publishing', () => {
  test('201 where it is new, 200 where it is known; and it is listed, shown and audited', async () => {
    const { answer, digest: named } = await publish(first);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ digest: named, client_id: application.clientId, current: true, tool_count: 2 });
    expect(answer.body).toMatchObject({ sequence: '1', previous_digest: null, changes: null });
    expect((await publish(first)).answer).toMatchObject({ status: 200, body: answer.body });
    expect((await get('/v1/manifests')).body).toEqual({ manifests: [answer.body] });
    expect((await get(`/v1/manifests?digest=${named}`)).body.manifests).toHaveLength(1);
    expect((await get(`/v1/manifests?digest=${digest('x')}`)).body.manifests).toEqual([]);
    expect((await get(`/v1/manifests/${named}`)).body).toEqual({ ...answer.body, tools: first });
    const events = await tenant.db.auditEvent.findMany({ where: { targetId: named } });
    expect(events.map(({ action, actorId }) => [action, actorId])).toEqual([
      ['manifest.publish', application.clientId],
    ]);
  });

  test('shows what was added and removed, and each changed description, schema and requirement', async () => {
    const before = [publicTool('a'), tool('b'), tool('c'), tool('d'), tool('e'), tool('f')];
    const { digest: since } = await publish(before);
    const after = [
      tool('a'),
      tool('b', { description_digest: digest('now it wants your password') }),
      tool('c', { input_schema_digest: digest({ type: 'object', required: ['secret'] }) }),
      tool('d', { requirement: { anyOf: [{ role: 'x' }] } }),
      tool('e', { output_schema_digest: digest({}) }),
      tool('g'),
    ];
    const { answer, digest: named } = await publish(after);
    const changes = {
      added: ['g'],
      removed: ['f'],
      description_changed: ['b'],
      schema_changed: ['c', 'e'],
      requirement_changed: ['a', 'd'],
    };
    expect(answer.body).toMatchObject({ sequence: '2', previous_digest: since, changes });
    expect((await get(`/v1/manifests/${named}/changes?since=${since}`)).body).toEqual(changes);
    const back = (await get(`/v1/manifests/${since}/changes?since=${named}`)).body;
    expect(back).toMatchObject({ added: ['f'], removed: ['g'], description_changed: ['b'] });
    const event = await tenant.db.auditEvent.findFirst({ where: { targetId: named } });
    expect(event?.details).toMatchObject({ previous: since, description_changed: ['b'], schema_changed: ['c', 'e'] });
  });

  test('of an older one again does not make it current, unless that is said, which is audited', async () => {
    const { digest: older } = await publish(first);
    const { digest: newer } = await publish(second);
    const again = await publish(first);
    expect(again.answer).toMatchObject({ status: 200, body: { current: false, sequence: '1' } });
    expect(await currentOf()).toMatchObject([{ digest: newer }]);
    const back = await publish(first, { query: '?make_current=true' });
    expect(back.answer).toMatchObject({ status: 200, body: { current: true, sequence: '3' } });
    expect(await currentOf()).toMatchObject([{ digest: older }]);
    const event = await tenant.db.auditEvent.findFirst({ where: { action: 'manifest.make-current', targetId: older } });
    expect(event).toMatchObject({ actorId: application.clientId, details: { previous: newer, removed: ['refund'] } });
    await publish(first, { query: '?make_current=true' });
    expect(await tenant.db.auditEvent.count({ where: { action: 'manifest.make-current', targetId: older } })).toBe(1);
  });

  test('by eight processes at once makes one row of each manifest, each with a place of its own', async () => {
    const sets = [first, second, [tool('x')], [tool('y')]];
    const answers = await Promise.all([...sets, ...sets].map((tools) => publish(tools)));
    expect(answers.map(({ answer }) => answer.status as number).sort((a, b) => a - b)).toEqual([
      200, 200, 200, 200, 201, 201, 201, 201,
    ]);
    const rows = await tenant.db.toolManifest.findMany({ where: { applicationId: application.id } });
    expect(rows.map((row) => Number(row.sequence)).sort((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    expect(await currentOf()).toHaveLength(1);
  });

  test('of a thousand tools fits, of more does not', async () => {
    const names = Array.from({ length: 1_001 }, (_, index) => `tool_${String(index).padStart(4, '0')}`);
    const requirement = { roles: ['role with a rather long name', 'another one'] };
    const tools = names.map((name) => tool(name, { requirement }));
    expect((await publish(tools.slice(0, 1_000))).answer.status).toBe(201);
    expect((await publish(tools)).answer.status).toBe(400);
  });

  test('keeps what is current and what living sessions need; what nobody needs goes', async () => {
    const person = await createTestPerson(tenant);
    const bound = async (manifestDigest: string, end?: 'ended' | 'expired') => {
      const { sid } = await createTestLogin(tenant, application, person, { bound: true });
      const over = end === 'expired' ? { expiresAt: new Date(Date.now() - 1_000) } : {};
      const ended = end === 'ended' ? { endedAt: new Date(), endReason: 'revoked', endedSequence: 1n } : {};
      await tenant.db.session.update({ where: { id: sid }, data: { manifestDigest, ...over, ...ended } });
    };
    const published = [];
    for (const name of ['used', 'ended', 'expired', 'unused', 'current']) {
      published.push((await publish([tool(name)])).digest);
    }
    const [used = '', ended = '', expired = '', unused = '', current = ''] = published;
    await bound(used);
    await bound(ended, 'ended');
    await bound(expired, 'expired');
    const monthsAgo = new Date(Date.now() - 90 * 86_400_000);
    await tenant.db.toolManifest.updateMany({
      where: { applicationId: application.id },
      data: { lastUsedAt: monthsAgo },
    });
    const { digest: next } = await publish([tool('next')]);
    const rows = await tenant.db.toolManifest.findMany({ where: { applicationId: application.id } });
    expect(rows.map((row) => row.digest).sort()).toEqual([used, current, next].sort());
    expect([ended, expired, unused].some((gone) => rows.some((row) => row.digest === gone))).toBe(false);
  });

  test('more than 200 push out the longest unused, never one in use', async () => {
    const tools = (index: number) => [tool(`t${index}`)];
    const { digest: needed } = await publish(tools(0));
    const { sid } = await createTestLogin(tenant, application, await createTestPerson(tenant), { bound: true });
    await tenant.db.session.update({ where: { id: sid }, data: { manifestDigest: needed } });
    await tenant.db.toolManifest.createMany({
      data: Array.from({ length: 210 }, (_, index) => ({
        applicationId: application.id,
        digest: digest(index),
        sequence: index + 2,
        tools: [],
        lastUsedAt: new Date(Date.now() - (300 - index) * 60_000),
      })),
    });
    expect((await publish(tools(1))).answer.status).toBe(201);
    const rows = await tenant.db.toolManifest.findMany({ where: { applicationId: application.id } });
    expect(rows).toHaveLength(200);
    const left = rows.map((row) => row.digest);
    expect([needed, digest(209)].every((one) => left.includes(one))).toBe(true);
    expect(left).not.toContain(digest(0));
  });
});

describe('publishing is refused', () => {
  test.each<[string, number, string, () => readonly unknown[]]>([
    ['tools out of order', 400, 'invalid_request', () => [tool('b'), tool('a')]],
    ['a name twice', 400, 'invalid_request', () => [tool('a'), tool('a')]],
    ['a public tool with a requirement', 400, 'invalid_request', () => [tool('a', { public: true })]],
    [
      'a tool that is neither public nor has a requirement',
      400,
      'invalid_request',
      () => [tool('a', { requirement: null })],
    ],
    ['another member', 400, 'invalid_request', () => [{ ...tool('a'), client_id: other.clientId }]],
    ['a digest of another shape', 400, 'invalid_request', () => [tool('a', { description_digest: 'x' })]],
    [
      'an ambiguous requirement',
      422,
      'ambiguous_requirement',
      () => [tool('a', { requirement: { roles: ['a'], scopes: ['b'] } })],
    ],
    ['an empty list', 422, 'invalid_requirement', () => [tool('a', { requirement: { roles: [] } })]],
  ])('%s', async (_name, status, code, tools) => {
    const { answer } = await publish(tools());
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test('400 under a digest that is not that of the body, and none of it is kept', async () => {
    const { answer } = await publish(first, { named: digest({ tools: second }) });
    expect(answer.body).toMatchObject({ code: 'invalid_request', errors: [{ pointer: '/path/digest' }] });
    expect((await get('/v1/manifests')).body.manifests).toEqual([]);
    expect((await publish(first, { named: 'x' })).answer.status).toBe(400);
  });

  test('401 without a token, 403 for a person who may do everything', async () => {
    const path = `/v1/manifests/${digest({ tools: first })}`;
    expect((await request(manager.app).put(path).send({ tools: first })).status).toBe(401);
    const admin = await createTestPerson(tenant, { roles: ['authsec-admin'] });
    const authorization = await personBearer(tenant, application, admin, ['authsec-admin']);
    expect((await publish(first, { authorization })).answer).toMatchObject({ status: 403 });
  });

  test('403 for a public client, whichever token it came by', async () => {
    await tenant.db.application.update({
      where: { id: application.id },
      data: { tokenEndpointAuthMethod: 'none', clientSecretHash: null },
    });
    expect((await publish(first)).answer).toMatchObject({ status: 403, body: { code: 'insufficient_permission' } });
    const person = await createTestPerson(tenant, { roles: ['authsec-admin'] });
    const authorization = await personBearer(tenant, application, person, ['authsec-admin']);
    expect((await publish(first, { authorization })).answer.status).toBe(403);
    expect(await tenant.db.toolManifest.count({ where: { applicationId: application.id } })).toBe(0);
  });
});

describe("another application's manifest", () => {
  test('cannot be published, replaced or rolled back: the same digest is a manifest of the caller itself', async () => {
    const { digest: older } = await publish(first);
    const { digest: newer } = await publish(second);
    const theirs = await publish(first, { by: other, query: '?make_current=true' });
    expect(theirs.answer).toMatchObject({ status: 201, body: { client_id: other.clientId, sequence: '1' } });
    expect(await currentOf()).toMatchObject([{ digest: newer, sequence: '2' }]);
    expect((await get(`/v1/manifests/${older}`)).body).toMatchObject({ current: false });
    for (const query of [
      `?client_id=${application.clientId}`,
      `?make_current=true&client_id=${application.clientId}`,
    ]) {
      expect((await publish(first, { by: other, query })).answer.status).toBe(400);
    }
    const named = digest({ tools: first });
    const smuggled = await request(manager.app)
      .put(`/v1/manifests/${named}`)
      .set('Authorization', await other.bearer())
      .send({ tools: first, client_id: application.clientId });
    expect(smuggled.status).toBe(400);
    expect(await currentOf()).toMatchObject([{ digest: newer }]);
  });

  test('404 for another application and for another tenant, 200 for a reader of the tenant who names it', async () => {
    const { digest: named } = await publish(first);
    const { digest: since } = await publish(second);
    const foreign = await createTestApplication(await manager.createTenant(), { roles: ['authsec-admin'] });
    for (const path of [`/v1/manifests/${named}`, `/v1/manifests/${named}/changes?since=${since}`]) {
      const name = `${path}${path.includes('?') ? '&' : '?'}client_id=${application.clientId}`;
      expect((await get(path, { by: other })).status).toBe(404);
      expect((await get(name, { by: other })).status).toBe(404);
      expect((await get(name, { by: foreign })).status).toBe(404);
      expect((await get(path, { authorization: reader })).status).toBe(404);
      expect((await get(name, { authorization: reader })).status).toBe(200);
      expect((await request(manager.app).get(path)).status).toBe(401);
      expect((await get(path.replace(named, 'x'))).status).toBe(400);
    }
    expect((await get(`/v1/manifests?client_id=${application.clientId}`, { by: other })).body.manifests).toEqual([]);
    const seen = await get(`/v1/manifests?client_id=${application.clientId}`, { authorization: reader });
    expect(seen.body.manifests).toHaveLength(2);
    const nobody = await personBearer(tenant, other, await createTestPerson(tenant), []);
    for (const path of ['/v1/manifests', `/v1/manifests/${named}`, `/v1/manifests/${named}/changes?since=${since}`]) {
      expect((await get(path, { authorization: nobody })).status).toBe(403);
    }
    expect((await request(manager.app).get('/v1/manifests')).status).toBe(401);
    expect((await get('/v1/manifests?limit=0')).status).toBe(400);
    expect((await get(`/v1/manifests/${named}/changes`)).status).toBe(400);
    expect((await get(`/v1/manifests/${named}/changes?since=${digest('unknown')}`)).status).toBe(404);
  });
});

describe('the tools of a session', () => {
  async function bind(manifestDigest?: string, roles: string[] = []) {
    const person = await createTestPerson(tenant, { roles });
    const login = await createTestLogin(tenant, application, person);
    const answer = await request(manager.app)
      .post('/v1/sessions')
      .set('Authorization', await application.bearer())
      .send({
        access_token: await login.token(),
        mcp_session: login.mcpSession,
        ...(manifestDigest && { manifest_digest: manifestDigest }),
      });
    expect(answer.status).toBe(201);
    return { sid: login.sid, sub: person.id };
  }
  const toolsOf = async (sid: string, options = {}) => get(`/v1/sessions/${sid}/tools`, options);
  const allowed = async (sid: string) =>
    (await toolsOf(sid)).body.tools
      .filter((one: { allowed: boolean }) => one.allowed)
      .map((one: { name: string }) => one.name);

  test('come with a decision each, by what the person holds now', async () => {
    const { digest: named } = await publish(second);
    const { sid, sub } = await bind(named, ['accountant']);
    const answer = await toolsOf(sid);
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        sid,
        sub,
        policy_version: expect.any(String),
        manifest: { digest: named, source: 'session' },
        tools: [
          { name: 'about', public: true, allowed: true, code: 'allowed' },
          { name: 'invoices', public: false, allowed: true, code: 'allowed' },
          { name: 'refund', public: false, allowed: false, code: 'permission_missing' },
        ],
      },
    ]);
    await tenant.db.userRole.deleteMany({ where: { userId: sub } });
    expect(await allowed(sid)).toEqual(['about']);
  });

  test('do not flip in a rolling deploy: each session is answered by the manifest that it was bound with', async () => {
    const { digest: v1 } = await publish(first);
    const old = await bind(v1, ['accountant']);
    const { digest: v2 } = await publish([publicTool('about'), tool('invoices', { requirement: { role: 'auditor' } })]);
    const young = await bind(v2, ['accountant']);
    await publish(first);
    expect(await allowed(old.sid)).toEqual(['about', 'invoices']);
    expect(await allowed(young.sid)).toEqual(['about']);
    expect((await toolsOf(old.sid)).body.manifest.digest).toBe(v1);
    expect((await toolsOf(young.sid)).body.manifest.digest).toBe(v2);
  });

  test('are those of the current manifest where the server named none, and none where its manifest is not published', async () => {
    const silent = await bind();
    expect((await toolsOf(silent.sid)).body).toMatchObject({ manifest: null, tools: [] });
    const { digest: named } = await publish(first);
    expect((await toolsOf(silent.sid)).body.manifest).toEqual({ digest: named, source: 'current' });
    const early = await bind(digest({ tools: second }));
    expect((await toolsOf(early.sid)).body).toMatchObject({ manifest: null, tools: [] });
    await publish(second);
    expect((await toolsOf(early.sid)).body.tools).toHaveLength(3);
  });

  test("are never those of another application's manifest of that digest", async () => {
    const { digest: named } = await publish(first, { by: other });
    const { sid } = await bind(named);
    expect((await toolsOf(sid)).body).toMatchObject({ manifest: null, tools: [] });
  });

  test('change with a renewal that names another manifest, for sessions of the caller only', async () => {
    const { digest: v1 } = await publish(first);
    const { digest: v2 } = await publish(second);
    const { sid } = await bind(v1);
    const renew = async (by: TestApplication) =>
      request(manager.app)
        .post('/v1/sessions/renew')
        .set('Authorization', await by.bearer())
        .send({ sids: [sid], manifests: [{ sid, digest: v2 }] });
    expect((await renew(other)).body.sessions).toMatchObject([{ status: 'ended', reason: 'unknown' }]);
    expect((await toolsOf(sid)).body.manifest.digest).toBe(v1);
    await tenant.db.toolManifest.updateMany({ data: { lastUsedAt: new Date(0) } });
    expect((await renew(application)).body.sessions).toMatchObject([{ status: 'active', sid }]);
    expect((await toolsOf(sid)).body.manifest.digest).toBe(v2);
    const used = await tenant.db.toolManifest.findFirst({ where: { applicationId: application.id, digest: v2 } });
    expect(used!.lastUsedAt.getTime()).toBeGreaterThan(0);
  });

  test('400, 401, 403, 404 and 410 as everywhere; 200 for who may read sessions', async () => {
    const { sid } = await bind();
    expect((await toolsOf('x')).status).toBe(400);
    expect((await request(manager.app).get(`/v1/sessions/${sid}/tools`)).status).toBe(401);
    const nobody = await personBearer(tenant, other, await createTestPerson(tenant), []);
    expect((await toolsOf(sid, { authorization: nobody })).status).toBe(403);
    expect((await toolsOf(sid, { by: other })).status).toBe(404);
    const foreign = await createTestApplication(await manager.createTenant(), { roles: ['authsec-admin'] });
    expect((await toolsOf(sid, { by: foreign })).status).toBe(404);
    expect((await toolsOf(random())).status).toBe(404);
    const unbound = await createTestLogin(tenant, application, await createTestPerson(tenant));
    expect((await toolsOf(unbound.sid)).status).toBe(404);
    expect((await toolsOf(sid, { authorization: reader })).status).toBe(200);
    await manager.container.sessions.endSession({ tenantId: tenant.id, db: tenant.db, sid, reason: 'revoked' });
    expect(await toolsOf(sid)).toMatchObject({ status: 410, body: { code: 'session_ended' } });
  });
});
