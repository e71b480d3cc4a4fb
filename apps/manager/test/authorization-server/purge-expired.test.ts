import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { purgeExpired } from '../../src/authorization-server/purge-expired.js';
import { createTestPerson } from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';
import { until } from '../support/until.js';
import { createHttpBrowser } from './http-browser.js';
import { createClient, startTestServer } from './test-server.js';

let manager: TestManager;
let tenant: TestTenant;

beforeAll(async () => {
  manager = await createTestManager();
  tenant = await manager.createTenant();
});
afterAll(() => manager.close());

describe('what requests leave behind', () => {
  test('is removed when it has expired, and not before', async () => {
    const { id: applicationId } = await createClient(tenant);
    const later = new Date(Date.now() + 3_600_000);
    const before = new Date(Date.now() - 7_200_000);
    const { id: userId } = await createTestPerson(tenant);
    const service = { name: 'tickets', kind: 'bearer', settings: {}, requirement: {} };
    const { id: serviceId } = await tenant.db.serviceConfiguration.create({ data: service });
    for (const [name, expiresAt] of [
      ['kept', later],
      ['gone', before],
    ] as const) {
      await tenant.db.providerModel.create({ data: { model: 'Interaction', idHash: name, payload: {}, expiresAt } });
      await tenant.db.pushedLogin.create({ data: { idHash: name, applicationId, request: {}, expiresAt } });
      await tenant.db.revokedToken.create({ data: { jti: name, expiresAt } });
      const linked = { linkHash: name, serviceId, userId, sid: name, applicationId, expiresAt };
      await tenant.db.serviceConnectAttempt.create({ data: linked });
      const dayBefore = new Date(expiresAt.getTime() - 86_400_000 + 3_600_000);
      const lease = { sid: name, serviceId, userId, applicationId, sealedLeaseId: Buffer.from('x') };
      await tenant.db.serviceLease.create({ data: { ...lease, expiresAt: name === 'gone' ? dayBefore : expiresAt } });
    }
    await purgeExpired(tenant.db);
    const rows = await Promise.all([
      tenant.db.providerModel.findMany({ select: { idHash: true } }),
      tenant.db.pushedLogin.findMany({ select: { idHash: true } }),
      tenant.db.revokedToken.findMany({ select: { jti: true } }),
      tenant.db.serviceConnectAttempt.findMany({ select: { linkHash: true } }),
      tenant.db.serviceLease.findMany({ select: { sid: true } }),
    ]);
    expect(rows.flat().map((row) => Object.values(row)[0])).toEqual(Array.from({ length: 5 }, () => 'kept'));
  });

  test('of history stays for ever where nothing is said, and what is older than said is removed', async () => {
    const own = await manager.createTenant();
    const { id: applicationId } = await createClient(own);
    const { id: userId } = await createTestPerson(own);
    const days = (count: number) => new Date(Date.now() - count * 86_400_000);
    const decided = { applicationId, subject: userId, requirement: {}, allowed: true, code: 'allowed', decision: {} };
    for (const [name, at] of [
      ['kept', days(29)],
      ['gone', days(31)],
    ] as const) {
      await own.db.session.create({ data: { id: name, userId, applicationId, scopes: [], expiresAt: at } });
      await own.db.decision.create({ data: { ...decided, at, tool: name, policyVersion: 1 } });
      await own.db.auditEvent.create({ data: { at, action: name, actorKind: 'system', outcome: 'success' } });
    }
    const history = async () => {
      const rows = await Promise.all([
        own.db.session.findMany({ select: { id: true }, orderBy: { id: 'asc' } }),
        own.db.decision.findMany({ select: { tool: true }, orderBy: { tool: 'asc' } }),
        own.db.auditEvent.findMany({
          where: { action: { in: ['kept', 'gone'] } },
          select: { action: true },
          orderBy: { action: 'asc' },
        }),
      ]);
      return rows.map((list) => list.map((row) => Object.values(row)[0]));
    };
    await purgeExpired(own.db);
    expect(await history()).toEqual([
      ['gone', 'kept'],
      ['gone', 'kept'],
      ['gone', 'kept'],
    ]);
    await purgeExpired(own.db, 30);
    expect(await history()).toEqual([['kept'], ['kept'], ['kept']]);
  });

  test('is removed by a Manager that is in use, the history of which it was told AUTHSEC_HISTORY_DAYS too', async () => {
    let ahead = 0;
    const clock = { now: () => Date.now(), monotonic: () => performance.now() + ahead };
    const server = await startTestServer({ clock }, { AUTHSEC_HISTORY_DAYS: '30' });
    const { issuer, db } = await server.createTenant();
    const at = new Date(Date.now() - 31 * 86_400_000);
    await db.auditEvent.create({ data: { at, action: 'old', actorKind: 'system', outcome: 'success' } });
    await fetch(`${issuer}/jwks`);
    expect(await db.auditEvent.count({ where: { action: 'old' } })).toBe(1);
    ahead = 61_000;
    await fetch(`${issuer}/jwks`);
    await until('it is gone', async () => (await db.auditEvent.count({ where: { action: 'old' } })) === 0);
    await server.close();
  });

  test('by anonymous ones is limited by the network that they come from, on a page that says to wait', async () => {
    const server = await startTestServer();
    const own = await server.createTenant();
    const browser = createHttpBrowser();
    const pages = [];
    for (let visit = 0; visit < 121; visit++) pages.push(await browser.get(`${own.issuer}/auth`));
    const last = pages.at(-1);
    expect(pages.filter(({ status }) => status === 429)).toEqual([last]);
    expect(last?.text).toContain('Wait a minute, then try again.');
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await fetch(`${own.issuer}/jwks`)).status).toBe(200);
    await server.close();
  });
});
