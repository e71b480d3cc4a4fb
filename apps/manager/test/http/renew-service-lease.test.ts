import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import request from 'supertest';
import { createDatabaseStage, type DatabaseStage } from '../support/database-stage.js';
import { expectNotTold } from '../support/services.js';
import { createTestApplication, createTestLogin, createTestPerson } from '../support/test-data.js';

let made: DatabaseStage;
let person: Awaited<ReturnType<typeof createTestPerson>>;
let login: { readonly sid: string };
let lease: string;

beforeAll(async () => {
  made = await createDatabaseStage();
}, 60_000);
afterAll(() => made?.stage.close());
beforeEach(async () => {
  const { stage, accounts } = made;
  accounts.living.clear();
  Object.assign(accounts.state, { away: false, renewed: [] });
  person = await createTestPerson(stage.tenant, { roles: ['developer'] });
  login = await createTestLogin(stage.tenant, stage.application, person, { bound: true });
  lease = ((await made.issue(login.sid)).body as { lease_id: string }).lease_id;
});

const renew = async (leaseId = lease, authorization?: string) => {
  const path = `/v1/service-leases/${leaseId}/renew`;
  return made.send('post', path, authorization ?? (await made.stage.application.bearer())).send({ tool: 'run_report' });
};
const refusal = async (answer: ReturnType<typeof renew>) => {
  const { status, body } = await answer;
  return [status, (body as { code?: string }).code];
};
const row = () => made.stage.tenant.db.serviceLease.findUniqueOrThrow({ where: { id: lease } });
const change = async (body: object) => {
  const path = `/v1/services/${made.service.id}`;
  expect((await made.send('patch', path, made.stage.writer).send(body)).status).toBe(200);
};

test('a lease lives on for the time of its service, by a decision that is kept, and the audit says so', async () => {
  const { db } = made.stage.tenant;
  await db.serviceLease.update({ where: { id: lease }, data: { expiresAt: new Date(Date.now() + 5_000) } });
  const { status, body } = await renew();
  expect([status, body]).toEqual([200, { expires_in: 300, decision_id: expect.any(String) }]);
  expect(made.accounts.state.renewed).toEqual([300]);
  expect((await row()).expiresAt.getTime()).toBeGreaterThan(Date.now() + 250_000);
  const { decision_id: id } = body as { decision_id: string };
  expect(await db.decision.findUniqueOrThrow({ where: { id } })).toMatchObject({ allowed: true, subject: person.id });
  expect(await made.stage.audited(made.service.id, 'service.credential_renewed')).toContainEqual(
    expect.objectContaining({ lease_id: lease, decision_id: id, tool: 'run_report' }),
  );
  await expectNotTold(made.stage, [made.accounts.state.password, 'of-the-maker']);
});

test('a right that was taken away in between renews nothing, and the refusal is audited', async () => {
  const refused = (await made.stage.audited(made.service.id, 'service.credential_refused')).length;
  await made.stage.tenant.db.userRole.deleteMany({ where: { userId: person.id } });
  expect(await refusal(renew())).toEqual([403, 'service_denied']);
  expect(made.accounts.state.renewed).toEqual([]);
  expect(await made.stage.audited(made.service.id, 'service.credential_refused')).toHaveLength(refused + 1);
});

test('neither does a session that has ended, nor a person who is disabled', async () => {
  const { id: tenantId, db } = made.stage.tenant;
  await db.user.update({ where: { id: person.id }, data: { status: 'disabled' } });
  expect(await refusal(renew())).toEqual([410, 'session_ended']);
  await db.user.update({ where: { id: person.id }, data: { status: 'active' } });
  made.accounts.state.away = true;
  await made.sessions.endSession({ tenantId, db, sid: login.sid, reason: 'logged_out' });
  made.accounts.state.away = false;
  expect(await refusal(renew())).toEqual([410, 'session_ended']);
  expect(made.accounts.state.renewed).toEqual([]);
});

const rawDenied = [403, 'service_raw_denied'];
test.each([
  ['is disabled', { enabled: false }, { enabled: true }, [404, 'not_found']],
  ['gives its credential to no tool any more', { raw_credential: false }, { raw_credential: true }, rawDenied],
  ['is not the application’s any more', { applications: [] }, undefined, [403, 'service_denied']],
])('a service that %s renews nothing', async (_what, before, after, expected) => {
  await change(before);
  expect(await refusal(renew())).toEqual(expected);
  await change(after ?? { applications: [made.stage.application.clientId] });
  expect((await renew()).status).toBe(200);
});

test('what is over stays over: by its end, by its time, and where the store has forgotten it', async () => {
  const gone = [404, 'not_found'];
  const { db } = made.stage.tenant;
  await db.serviceLease.update({ where: { id: lease }, data: { expiresAt: new Date() } });
  expect(await refusal(renew())).toEqual(gone);
  const forgotten = ((await made.issue(login.sid)).body as { lease_id: string }).lease_id;
  made.accounts.living.clear();
  expect(await refusal(renew(forgotten))).toEqual(gone);
  const other = ((await made.issue(login.sid)).body as { lease_id: string }).lease_id;
  const authorization = await made.stage.application.bearer();
  expect((await made.send('delete', `/v1/service-leases/${other}`, authorization)).status).toBe(204);
  expect(await refusal(renew(other))).toEqual(gone);
  expect(made.accounts.state.renewed).toEqual([]);
});

test('a lease that is given up while it is renewed is not taken up again', async () => {
  const { databases, state } = made.accounts;
  const { renew: renewed } = databases;
  databases.renew = async (...asked) => {
    state.away = true;
    const authorization = await made.stage.application.bearer();
    await made.send('delete', `/v1/service-leases/${lease}`, authorization);
    state.away = false;
    return renewed(...asked);
  };
  try {
    expect(await refusal(renew())).toEqual([404, 'not_found']);
    expect((await row()).expiresAt.getTime()).toBeLessThanOrEqual(Date.now());
  } finally {
    databases.renew = renewed;
  }
});

test('503 while the store is away, and nothing is lost', async () => {
  const { expiresAt } = await row();
  made.accounts.state.away = true;
  expect(await refusal(renew())).toEqual([503, 'secret_store_unavailable']);
  expect(await row()).toMatchObject({ expiresAt, endedAt: null });
});

test('nobody else renews it: no one, another application, another tenant, a person, another session', async () => {
  const { stage } = made;
  expect((await request(made.app).post(`/v1/service-leases/${lease}/renew`).send({})).status).toBe(401);
  const other = await (await createTestApplication(stage.tenant)).bearer();
  for (const authorization of [other, stage.writer, stage.nobody, stage.foreign]) {
    expect(await refusal(renew(lease, authorization))).toEqual([404, 'not_found']);
  }
  expect(await refusal(renew(randomUUID()))).toEqual([404, 'not_found']);
  expect(await refusal(renew('x'))).toEqual([400, 'invalid_request']);
  const { clientId } = stage.application;
  const tokenOf = async ({ sid }: { readonly sid: string }) =>
    `Bearer ${await stage.tenant.sign({ sub: person.id, client_id: clientId, sid })}`;
  const outOfBand = await createTestLogin(stage.tenant, stage.application, person, { inBand: false });
  expect((await renew(lease, await tokenOf(outOfBand))).status).toBe(403);
  const token = await tokenOf(await createTestLogin(stage.tenant, stage.application, person, { bound: true }));
  await made.asPublicClient(async () => {
    expect(await refusal(renew(lease, token))).toEqual([404, 'not_found']);
  });
  expect(made.accounts.state.renewed).toEqual([]);
});
