import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { User } from '@authsec/prisma/tenant';
import request from 'supertest';
import { listen } from '../../src/http/listen.js';
import { createChangesService } from '../../src/modules/changes/changes.service.js';
import { systemClock } from '../../src/ports/clock.js';
import type { EventBus } from '../../src/ports/event-bus.js';
import {
  callerOf,
  createTestApplication,
  createTestLogin,
  createTestPerson,
  createTestRole,
  personBearer,
  type TestApplication,
} from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

let manager: TestManager;
let tenant: TestTenant;
let application: TestApplication;
let person: User;

beforeAll(async () => {
  manager = await createTestManager();
  tenant = await manager.createTenant();
  application = await createTestApplication(tenant);
  person = await createTestPerson(tenant);
});
afterAll(() => manager.close());

const poll = async (query = '', { app = manager.app, by = application } = {}) =>
  request(app)
    .get(`/v1/changes${query}`)
    .set('Authorization', await by.bearer());
const cursorNow = async () => (await poll()).body.cursor as string;
const end = (sid: string) =>
  manager.container.sessions.endSession({ tenantId: tenant.id, db: tenant.db, sid, reason: 'revoked' });

/** Subscribes like the real one; tells when somebody waits, and wakes only when the test says so. */
function createTestBus() {
  const wakes = new Set<() => void>();
  let onSubscribe = () => {};
  const subscribed = new Promise<void>((resolve) => (onSubscribe = resolve));
  const bus: EventBus = {
    publish: async () => {},
    subscribe(_tenantId, wake) {
      wakes.add(wake);
      onSubscribe();
      return () => wakes.delete(wake);
    },
    close: async () => {},
  };
  return { bus, subscribed, wake: () => wakes.forEach((wake) => wake()), waiting: () => wakes.size };
}

describe('200', () => {
  test('without a cursor: where the feed stands, at once', async () => {
    const answer = await poll();
    expect(answer.body).toEqual({
      cursor: expect.stringMatching(/^\d+\.\d+$/),
      policy_changed: false,
      ended: [],
      held_ms: expect.any(Number),
    });
    expect(answer.body.held_ms).toBeLessThan(5_000);
  });

  test('at once what happened before it came', async () => {
    const after = await cursorNow();
    const { sid } = await createTestLogin(tenant, application, person, { bound: true });
    await end(sid);
    const answer = await poll(`?after=${after}`);
    expect(answer.body).toMatchObject({ policy_changed: false, ended: [{ sid, reason: 'revoked' }] });
    expect((await poll(`?after=${answer.body.cursor}&wait=0`)).body).toMatchObject({
      policy_changed: false,
      ended: [],
    });
  });

  test('wakes when a right is taken away by a request to another Manager', async () => {
    const second = await manager.another();
    await createTestRole(tenant, 'admin', []);
    const someone = await createTestPerson(tenant, { roles: ['admin'] });
    const operator = await createTestApplication(tenant, { roles: ['authsec-admin'] });
    const after = await cursorNow();
    const waiting = poll(`?after=${after}&wait=25`);
    const removal = await request(second.app)
      .delete(`/v1/users/${someone.id}/roles/admin`)
      .set('Authorization', await operator.bearer());
    expect(removal.status).toBe(204);
    const answer = await waiting;
    expect(answer.body).toMatchObject({ policy_changed: true, ended: [] });
    expect(answer.body.held_ms).toBeLessThan(15_000);
  });

  test("another application's ended session is not told", async () => {
    const other = await createTestApplication(tenant);
    const after = await cursorNow();
    const { sid } = await createTestLogin(tenant, other, person, { bound: true });
    await end(sid);
    expect((await poll(`?after=${after}&wait=0`)).body).toMatchObject({ policy_changed: false, ended: [] });
    expect((await poll(`?after=${after}&wait=0`, { by: other })).body.ended).toEqual([{ sid, reason: 'revoked' }]);
  });

  test('a feed that stands before the cursor (a restored database) counts as a change', async () => {
    const [version] = (await cursorNow()).split('.');
    expect((await poll(`?after=${version}.999999&wait=0`)).body.policy_changed).toBe(true);
    expect((await poll(`?after=999999.0&wait=0`)).body.policy_changed).toBe(true);
  });

  test('looks at the database again at the end, though nobody woke it, and says how long it was held', async () => {
    const { bus, subscribed } = createTestBus();
    const changes = createChangesService({ events: bus, clock: systemClock });
    const caller = callerOf(tenant, application);
    const after = await cursorNow();
    const receivedAt = systemClock.monotonic();
    const polling = changes.poll({ caller, after, waitSeconds: 1, receivedAt, signal: new AbortController().signal });
    await subscribed;
    const { sid } = await createTestLogin(tenant, application, person, { bound: true });
    await end(sid);
    const answer = await polling;
    expect(answer.ended).toEqual([{ sid, reason: 'revoked' }]);
    const elapsed = systemClock.monotonic() - receivedAt;
    expect(answer.held_ms).toBeLessThanOrEqual(elapsed);
  });

  test('a wake for nothing keeps it waiting, one between looks is not lost', async () => {
    const { bus, subscribed, wake } = createTestBus();
    const changes = createChangesService({ events: bus, clock: systemClock });
    const { signal } = new AbortController();
    const after = await cursorNow();
    const request = { caller: callerOf(tenant, application), after, waitSeconds: 25, receivedAt: 0, signal };
    const polling = changes.poll({ ...request, receivedAt: systemClock.monotonic() });
    await subscribed;
    wake();
    wake();
    const { sid } = await createTestLogin(tenant, application, person, { bound: true });
    await end(sid);
    wake();
    expect((await polling).ended).toEqual([{ sid, reason: 'revoked' }]);
  });

  test('stopping the Manager answers what waits', async () => {
    const second = await manager.another();
    const server = await listen(second.app, { host: '127.0.0.1', port: 0 });
    const after = await cursorNow();
    const answer = fetch(`http://127.0.0.1:${server.port}/v1/changes?after=${after}`, {
      headers: { authorization: await application.bearer() },
    });
    const subscribed = watchSubscriptions(second.container.events);
    await subscribed;
    second.container.stop();
    const response = await answer;
    expect([response.status, await response.json()]).toEqual([200, expect.objectContaining({ policy_changed: false })]);
    await server.close();
  });
});

describe('a client that goes away', () => {
  test('ends its wait, so that nothing of it is left', async () => {
    const { bus, subscribed, waiting } = createTestBus();
    const changes = createChangesService({ events: bus, clock: systemClock });
    const controller = new AbortController();
    const polling = changes.poll({
      caller: callerOf(tenant, application),
      after: await cursorNow(),
      waitSeconds: 25,
      receivedAt: systemClock.monotonic(),
      signal: controller.signal,
    });
    await subscribed;
    expect(waiting()).toBe(1);
    controller.abort();
    await polling;
    expect(waiting()).toBe(0);
  });

  test('over HTTP: the request is aborted on the server too', async () => {
    const second = await manager.another();
    const server = await listen(second.app, { host: '127.0.0.1', port: 0 });
    const after = await cursorNow();
    const subscribed = watchSubscriptions(second.container.events);
    const client = httpRequest({
      host: '127.0.0.1',
      port: server.port,
      path: `/v1/changes?after=${after}`,
      headers: { authorization: await application.bearer() },
    });
    client.on('error', () => {});
    client.end();
    const { unsubscribed } = await subscribed;
    client.destroy();
    await unsubscribed;
    await server.close();
  });
});

describe('refused', () => {
  test.each([
    'after=x',
    'after=1',
    'after=1.2.3',
    `after=${'9'.repeat(20)}.0`,
    'wait=26',
    'wait=-1',
    'wait=1.5',
    'x=1',
  ])('400: ?%s', async (query) => {
    const answer = await poll(`?${query}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
  });

  test('401 without a token', async () => {
    expect((await request(manager.app).get('/v1/changes')).status).toBe(401);
  });

  test('403 for a person', async () => {
    const admin = await createTestPerson(tenant, { roles: ['authsec-admin'] });
    const authorization = await personBearer(tenant, application, admin, ['authsec-admin']);
    const answer = await request(manager.app).get('/v1/changes').set('Authorization', authorization);
    expect(answer.status).toBe(403);
  });

  test('429 when an application has too many polls open; the others of the tenant go on', async () => {
    const { bus, subscribed } = createTestBus();
    const changes = createChangesService({ events: bus, clock: systemClock, maxPollsPerApplication: 2 });
    const controller = new AbortController();
    const after = await cursorNow();
    const other = await createTestApplication(tenant);
    const start = (by: TestApplication, waitSeconds: number) =>
      changes.poll({
        caller: callerOf(tenant, by),
        after,
        waitSeconds,
        receivedAt: systemClock.monotonic(),
        signal: controller.signal,
      });
    const open = [start(application, 25), start(application, 25)];
    await subscribed;
    await expect(start(application, 0)).rejects.toMatchObject({ code: 'rate_limited' });
    await start(other, 0);
    controller.abort();
    await Promise.all(open);
    await start(application, 0);
  });
});

test("another tenant's changes wake and tell nobody here", async () => {
  const elsewhere = await manager.createTenant();
  const after = await cursorNow();
  await createTestPerson(elsewhere, { roles: ['new'] });
  await manager.container.events.publish(elsewhere.id);
  expect((await poll(`?after=${after}&wait=0`)).body).toMatchObject({ policy_changed: false, ended: [] });
});

/** Resolves when somebody subscribed. */
function watchSubscriptions(events: EventBus): Promise<{ unsubscribed: Promise<void> }> {
  const { subscribe } = events;
  return new Promise((subscribed) => {
    let gone = () => {};
    const unsubscribed = new Promise<void>((resolve) => (gone = resolve));
    (events as { subscribe: EventBus['subscribe'] }).subscribe = (tenantId, wake) => {
      const unsubscribe = subscribe(tenantId, wake);
      subscribed({ unsubscribed });
      return () => {
        unsubscribe();
        gone();
      };
    };
  });
}
