import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createSessionsService, type SessionsService } from '../../../src/modules/sessions/sessions.service.js';
import type { TelemetryEvent } from '../../../src/ports/telemetry.js';
import { callerOf, createTestApplication, createTestLogin, createTestPerson } from '../../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../../support/test-manager.js';

const minute = 60_000;
let manager: TestManager;
let tenant: TestTenant;
let recorded: TelemetryEvent[];
let now: number;
/** Of two replicas. */
let replicas: readonly [SessionsService, SessionsService];

beforeAll(async () => void (manager = await createTestManager()));
afterAll(() => manager.close());
beforeEach(async () => {
  tenant = await manager.createTenant();
  recorded = [];
  now = Date.now();
  const { events, clock } = manager.container;
  const telemetry = { record: (event: TelemetryEvent) => void recorded.push(event) };
  const replica = () => createSessionsService({ clock: { ...clock, now: () => now }, events, telemetry });
  replicas = [replica(), replica()];
});

const opened = () => [{ tenantId: tenant.id, db: tenant.db }];
const expired = (count: number) => ({ kind: 'sessions_ended', tenantId: tenant.id, reason: 'expired', count });

async function logIn(minutes: number, { bound = true } = {}) {
  const application = await createTestApplication(tenant);
  const login = await createTestLogin(tenant, application, await createTestPerson(tenant), {
    bound,
    expiresAt: new Date(now + minutes * minute),
  });
  return { ...login, caller: callerOf(tenant, application) };
}

describe('a session that expires', () => {
  test('is counted as ended once, whichever replicas look, and however often', async () => {
    for (const minutes of [1, 2, 10]) await logIn(minutes);
    expect(await replicas[0].countActive(opened())).toBe(3);
    expect(recorded).toEqual([]);
    now += 3 * minute;
    const counts = await Promise.all([...replicas, ...replicas].map((replica) => replica.countActive(opened())));
    expect(counts).toEqual([1, 1, 1, 1]);
    await replicas[1].countActive(opened());
    const total = recorded.reduce((sum, event) => sum + (event.kind === 'sessions_ended' ? event.count : 0), 0);
    expect(total).toBe(2);
    expect(recorded.every((event) => event.kind === 'sessions_ended' && event.reason === 'expired')).toBe(true);
  });

  test('is not one where its login was never completed, or where somebody ended it before', async () => {
    await logIn(1, { bound: false });
    const { sid } = await logIn(1);
    await replicas[0].endSession({ tenantId: tenant.id, db: tenant.db, sid, reason: 'logged_out' });
    now += 2 * minute;
    expect(await replicas[0].countActive(opened())).toBe(0);
    expect(recorded).toEqual([{ ...expired(1), reason: 'logged_out' }]);
  });

  test('is not counted again when it is ended after that, and is told of as what it is', async () => {
    const { sid, caller } = await logIn(1);
    now += 2 * minute;
    await replicas[0].countActive(opened());
    expect(await replicas[0].renew(caller, [sid])).toEqual([{ status: 'ended', sid, reason: 'expired' }]);
    expect(await replicas[1].endAllSessions({ tenantId: tenant.id, db: tenant.db, reason: 'revoked' })).toBe(0);
    expect(recorded).toEqual([expired(1)]);
    expect(await replicas[0].renew(caller, [sid])).toEqual([{ status: 'ended', sid, reason: 'expired' }]);
  });

  test('is found among many that ended without a look at these', async () => {
    const { sid } = await logIn(1);
    await tenant.db.$executeRaw`
      INSERT INTO sessions (id, user_id, application_id, scopes, bound_at, expires_at, ended_at, end_reason, ended_sequence)
      SELECT 'ended' || n, user_id, application_id, scopes, bound_at, expires_at, now(), 'revoked', 1
        FROM sessions, generate_series(1, 5000) n WHERE id = ${sid}`;
    await tenant.db.$executeRaw`ANALYZE sessions`;
    const plans = await tenant.db.$transaction([
      tenant.db.$queryRaw`
        EXPLAIN SELECT id FROM sessions WHERE ended_at IS NULL AND bound_at IS NOT NULL AND expires_at <= now() LIMIT 1000`,
      tenant.db.$queryRaw`
        EXPLAIN SELECT count(*) FROM sessions WHERE ended_at IS NULL AND bound_at IS NOT NULL AND expires_at > now()`,
    ]);
    for (const plan of plans) {
      expect(JSON.stringify(plan)).toContain('sessions_live_expires_at');
      expect(JSON.stringify(plan)).not.toContain('Seq Scan');
    }
  });
});
