import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createLeasesService } from '../../src/modules/services/leases.service.js';
import { createDatabaseStage, type DatabaseStage } from '../support/database-stage.js';
import { expectNotTold, type ServicesStage } from '../support/services.js';
import {
  createTestApplication,
  createTestLogin,
  createTestPerson,
  type TestApplication,
} from '../support/test-data.js';
import { until } from '../support/until.js';

let stage: ServicesStage;
let accounts: DatabaseStage['accounts'];
let app: DatabaseStage['app'];
let sessions: DatabaseStage['sessions'];
let service: DatabaseStage['service'];
let send: DatabaseStage['send'];
let asPublicClient: DatabaseStage['asPublicClient'];
let login: { readonly sid: string };
let issue: () => ReturnType<DatabaseStage['issue']>;

beforeAll(async () => {
  const made = await createDatabaseStage();
  ({ stage, accounts, app, sessions, service, send, asPublicClient } = made);
  issue = () => made.issue(login.sid);
}, 60_000);
afterAll(() => stage?.close());
beforeEach(async () => {
  accounts.living.clear();
  accounts.state.stuck.clear();
  Object.assign(accounts.state, { away: false, hangs: false });
  const person = await createTestPerson(stage.tenant, { roles: ['developer'] });
  login = await createTestLogin(stage.tenant, stage.application, person, { bound: true });
});

const end = async (leaseId: string, by: Pick<TestApplication, 'bearer'> = stage.application) => {
  const { status, body } = await send('delete', `/v1/service-leases/${leaseId}`, await by.bearer());
  return status === 204 ? 204 : [status, (body as { code: string }).code];
};
const leaseOf = (id: string) => stage.tenant.db.serviceLease.findUniqueOrThrow({ where: { id } });

describe('a dynamic credential', () => {
  test('is an account of its own for each call, under a lease', async () => {
    const [one, two] = [await issue(), await issue()];
    expect([one.status, one.body]).toEqual([
      201,
      {
        service: {
          id: service.id,
          name: service.name,
          kind: 'database',
          base_url: null,
          allow_private_addresses: false,
        },
        credential: {
          type: 'database',
          host: 'db.example.com',
          port: 5432,
          database: 'reports',
          tls: 'require',
          username: expect.stringMatching(/^v-/),
          password: accounts.state.password,
        },
        expires_in: 60,
        lease_id: expect.any(String),
        decision_id: expect.any(String),
      },
    ]);
    expect(two.body.credential.username).not.toBe(one.body.credential.username);
    const row = await leaseOf(one.body.lease_id as string);
    expect(row).toMatchObject({ serviceId: service.id, sid: login.sid, endedAt: null });
    expect(Buffer.from(row.sealedLeaseId).toString('latin1')).not.toContain('lease/');
    await expectNotTold(stage, [accounts.state.password, 'of-the-maker']);
  });

  test('is good for as long as its lease, also where that is longer than others may be kept', async () => {
    accounts.state.leaseSeconds = 900;
    expect((await issue()).body.expires_in).toBe(900);
    accounts.state.leaseSeconds = 60;
  });

  test('that came too late for its call is ended, and was not issued', async () => {
    accounts.state.hangs = true;
    const issued = (await stage.audited(service.id, 'service.credential_issued')).length;
    const answer = await issue();
    expect([answer.status, answer.body.code]).toEqual([503, 'secret_store_unavailable']);
    await until('it is ended', async () => {
      const rows = await stage.tenant.db.serviceLease.findMany({ where: { sid: login.sid } });
      return rows.length === 1 && rows[0]?.endedAt !== null;
    });
    expect(accounts.living.size).toBe(0);
    expect(await stage.audited(service.id, 'service.credential_issued')).toHaveLength(issued);
  });
});

test('the account of a health check is gone with it', async () => {
  const answer = await send('post', `/v1/services/${service.id}/test`, stage.writer);
  expect([answer.status, answer.body.outcome]).toEqual([200, 'ok']);
  expect(accounts.living.size).toBe(0);
});

describe('204', () => {
  test('the account is gone, and ending it again changes nothing', async () => {
    const { lease_id: id } = (await issue()).body as { lease_id: string };
    expect(accounts.living.size).toBe(1);
    expect(await end(id)).toBe(204);
    expect(accounts.living.size).toBe(0);
    const { endedAt } = await leaseOf(id);
    expect(endedAt).toBeInstanceOf(Date);
    expect(await end(id)).toBe(204);
    expect((await leaseOf(id)).endedAt).toEqual(endedAt);
  });

  test('where the store is away: it goes with the next that is looked through', async () => {
    const { lease_id: id } = (await issue()).body as { lease_id: string };
    accounts.state.away = true;
    expect(await end(id)).toBe(204);
    expect([(await leaseOf(id)).endedAt, accounts.living.size]).toEqual([null, 1]);
    accounts.state.away = false;
    const other = await createTestPerson(stage.tenant);
    const { sid } = await createTestLogin(stage.tenant, stage.application, other, { bound: true });
    const { db, id: tenantId } = stage.tenant;
    await sessions.endSession({ tenantId, db, sid, reason: 'revoked' });
    await until('it is ended', async () => (await leaseOf(id)).endedAt !== null);
    expect(accounts.living.size).toBe(0);
  });
});

test('with the session goes what was given in it, and nothing of others', async () => {
  const { lease_id: mine } = (await issue()).body as { lease_id: string };
  const { sid } = login;
  const person = await createTestPerson(stage.tenant, { roles: ['developer'] });
  login = await createTestLogin(stage.tenant, stage.application, person, { bound: true });
  const { lease_id: theirs } = (await issue()).body as { lease_id: string };
  const { db, id: tenantId } = stage.tenant;
  await sessions.endSession({ tenantId, db, sid, reason: 'logged_out' });
  await until('it is ended', async () => (await leaseOf(mine)).endedAt !== null);
  expect([(await leaseOf(theirs)).endedAt, accounts.living.size]).toEqual([null, 1]);
});

test('one that cannot be ended does not stand before the others, and goes when it can', async () => {
  const ids: string[] = [];
  for (let count = 0; count < 6; count++) ids.push(((await issue()).body as { lease_id: string }).lease_id);
  const [first = ''] = accounts.living.keys();
  accounts.state.stuck.add(first);
  const { db, id: tenantId } = stage.tenant;
  await sessions.endSession({ tenantId, db, sid: login.sid, reason: 'logged_out' });
  const living = () => db.serviceLease.findMany({ where: { id: { in: ids }, endedAt: null } });
  await until('one is left', async () => (await living()).length === 1);
  expect([...accounts.living.keys()]).toEqual([first]);
  accounts.state.stuck.clear();
  const other = await createTestPerson(stage.tenant);
  const { sid } = await createTestLogin(stage.tenant, stage.application, other, { bound: true });
  await sessions.endSession({ tenantId, db, sid, reason: 'logged_out' });
  await until('none is left', async () => (await living()).length === 0);
  expect(accounts.living.size).toBe(0);
});

test('of more than are looked through at once, those that cannot be ended do not keep out the others for good', async () => {
  const { lease_id: id } = (await issue()).body as { lease_id: string };
  const { db, id: tenantId } = stage.tenant;
  const { sealedLeaseId: _sealed, createdAt: _at, ...row } = await leaseOf(id);
  const expiresAt = new Date(Date.now() - 60_000);
  const stuck = Array.from({ length: 200 }, () => ({ ...row, id: randomUUID(), expiresAt }));
  await db.serviceLease.createMany({ data: stuck.map((lease) => ({ ...lease, sealedLeaseId: Buffer.from('x') })) });
  await db.serviceLease.update({ where: { id }, data: { expiresAt: new Date() } });
  const leases = createLeasesService({ ...stage.manager.container, secrets: { databases: accounts.databases } });
  // Half of them are looked through: sixty times in vain does not happen.
  for (let sweeps = 0; sweeps < 60 && (await leaseOf(id)).endedAt === null; sweeps++) {
    await leases.sweep(tenantId, db);
  }
  expect((await leaseOf(id)).endedAt).not.toBeNull();
  await db.serviceLease.deleteMany({ where: { id: { in: stuck.map((lease) => lease.id) } } });
});

test('what was sealed of another lease does not end that one', async () => {
  const { lease_id: one } = (await issue()).body as { lease_id: string };
  const { lease_id: two } = (await issue()).body as { lease_id: string };
  const { sealedLeaseId } = await leaseOf(one);
  await stage.tenant.db.serviceLease.update({ where: { id: two }, data: { sealedLeaseId } });
  await end(two);
  expect([(await leaseOf(two)).endedAt, accounts.living.size]).toEqual([null, 2]);
});

test('400, 401, and 404 for another application, another tenant and a lease that never was', async () => {
  const { lease_id: id } = (await issue()).body as { lease_id: string };
  expect(await end('x')).toEqual([400, 'invalid_request']);
  expect((await request(app).delete(`/v1/service-leases/${id}`)).status).toBe(401);
  expect((await send('delete', `/v1/service-leases/${id}`, stage.nobody)).status).toBe(404);
  expect((await send('delete', `/v1/service-leases/${id}`, stage.foreign)).status).toBe(404);
  expect(await end(id, await createTestApplication(stage.tenant))).toEqual([404, 'not_found']);
  expect(await end(randomUUID())).toEqual([404, 'not_found']);
  expect(accounts.living.size).toBe(1);
});

test('403 for a person, and 404 for a public client at the lease of another session', async () => {
  const { lease_id: id } = (await issue()).body as { lease_id: string };
  const user = await createTestPerson(stage.tenant, { roles: ['authsec-admin'] });
  const { sid } = await createTestLogin(stage.tenant, stage.application, user, { inBand: false });
  const claims = { sub: user.id, client_id: stage.application.clientId, sid, roles: ['authsec-admin'] };
  const person = `Bearer ${await stage.tenant.sign(claims)}`;
  expect((await send('delete', `/v1/service-leases/${id}`, person)).status).toBe(403);
  const { clientId } = stage.application;
  await asPublicClient(async () => {
    const own = await createTestLogin(stage.tenant, stage.application, user, { bound: true });
    const token = `Bearer ${await stage.tenant.sign({ sub: user.id, client_id: clientId, sid: own.sid })}`;
    expect((await send('delete', `/v1/service-leases/${id}`, token)).status).toBe(404);
  });
});
