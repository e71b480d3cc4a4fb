import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { HttpBrowser } from '../authorization-server/http-browser.js';
import { connectionAddressOf } from '../../src/modules/services/service.js';
import { SecretStoreError } from '../../src/ports/secret-store.js';
import { deferred } from '../support/deferred.js';
import {
  type AccountService,
  type AccountsStage,
  departureOf,
  startAccountsStage,
  type TestPerson,
} from '../support/connected-accounts.js';
import { until } from '../support/until.js';

let stage: AccountsStage;
let service: AccountService;
let person: TestPerson;
let replica: string;
let browser: HttpBrowser;
beforeAll(async () => {
  stage = await startAccountsStage();
  replica = await stage.server.listenAnother();
  service = await stage.newService();
  person = await stage.newPerson();
  ({ browser } = await stage.openAs(await stage.linkUrl(service, person), person));
}, 60_000);
afterAll(() => stage?.close());
beforeEach(async () => {
  await stage.connect(service, person, browser);
  stage.oauth.requests.length = 0;
});
afterEach(() => {
  stage.oauth.fault = undefined;
  stage.oauth.beforeAnswer = undefined;
});

const address = () => connectionAddressOf(stage.tenant.id, service.id, person.user.id);
const store = () => stage.server.container.secrets;
const row = () =>
  stage.tenant.db.serviceConnection.findFirstOrThrow({ where: { userId: person.user.id, serviceId: service.id } });
const refreshes = () => stage.oauth.tokenRequests('refresh_token').length;
const tokenOf = async (at?: string) => {
  const { status, body } = await stage.issue(service, person, at);
  return status === 201 ? (body.credential.token as string) : ([status, body.code] as const);
};

/** As if an hour had passed. */
async function age(given: { readonly expiresInMs?: number; readonly without?: string } = {}): Promise<string> {
  const { value, version } = await store().read(address());
  const times = { refresh_at: '1', expires_at: String(Date.now() + (given.expiresInMs ?? -1)) };
  const aged = Object.entries({ ...value, ...times }).filter(([name]) => name !== given.without);
  await store().write(address(), Object.fromEntries(aged), { expectedVersion: version });
  return value['access_token'] ?? '';
}

/** Lets answers of the token endpoint wait until it is said. */
function holdAnswers(): { readonly asked: Promise<void>; release(): void } {
  const [asked, released] = [deferred(), deferred()];
  stage.oauth.beforeAnswer = ({ path }) => {
    if (path !== '/token') return Promise.resolve();
    asked.resolve();
    return released.promise;
  };
  return { asked: asked.promise, release: () => released.resolve() };
}

/** Lets the answer to a refresh wait, and says what it is. */
function holdRefresh(): { readonly asked: Promise<void>; release(): void; refuse(): void } {
  const [asked, released] = [deferred(), deferred()];
  let answer: { readonly status?: number; readonly body: string } = refreshed;
  stage.oauth.fault = async ({ form }) => {
    if (form.get('grant_type') !== 'refresh_token') return undefined;
    asked.resolve();
    await released.promise;
    return answer;
  };
  return {
    asked: asked.promise,
    release: () => released.resolve(),
    refuse() {
      answer = { status: 400, body: '{"error":"invalid_grant"}' };
      released.resolve();
    },
  };
}

/** What a service gives that takes a refresh token. */
const refreshed = { body: JSON.stringify({ access_token: 'of-the-account-before', token_type: 'Bearer' }) };

/** Does something once the call has found that another process refreshes, and looks again and again. */
async function whileWaiting<T>(call: () => Promise<T>, then: () => unknown): Promise<T> {
  const { read } = store();
  let reads = 0;
  Object.assign(store(), {
    read: (...given: Parameters<typeof read>) => {
      reads++;
      return read(...given);
    },
  });
  try {
    const result = call();
    await until('it was read', async () => reads > 3);
    await then();
    return await result;
  } finally {
    Object.assign(store(), { read });
  }
}

/** Changes the row alone: what is connected stays. */
async function moveEndpoint(path: string): Promise<void> {
  const { db } = stage.tenant;
  const { settings } = await db.serviceConfiguration.findUniqueOrThrow({ where: { id: service.id } });
  const moved = { ...(settings as object), token_endpoint: `${stage.oauth.origin}${path}` };
  await db.serviceConfiguration.update({ where: { id: service.id }, data: { settings: moved } });
}

describe('a token that is nearly over', () => {
  test('is refreshed before it is given, and again later with the refresh token that came', async () => {
    const first = await age();
    const second = await tokenOf();
    expect(await stage.oauth.holderOf(String(second))).toBe('octocat');
    await age();
    const third = await tokenOf();
    expect(new Set([first, second, third]).size).toBe(3);
    expect(await stage.oauth.holderOf(String(third))).toBe('octocat');
    expect(refreshes()).toBe(2);
    const { version } = await store().read(address());
    expect(await row()).toMatchObject({ status: 'connected', secretVersion: version, refreshingUntil: null });
    await expect(store().read(address(), { version: version - 1 })).rejects.toMatchObject({ failure: 'missing' });
  });

  test('is refreshed by one request, however many need it at two replicas at the same moment', async () => {
    await age();
    const hold = holdAnswers();
    const first = Promise.all([replica, replica, replica].map((at) => tokenOf(at)));
    await hold.asked;
    const later = await whileWaiting(() => Promise.all([tokenOf(), tokenOf(), tokenOf()]), hold.release);
    const answers = [...(await first), ...later];
    const token = await tokenOf();
    expect(await stage.oauth.holderOf(String(token))).toBe('octocat');
    // On a slow machine some gave up.
    expect(answers.filter((answer) => answer !== token && answer[1] !== 'service_unavailable')).toEqual([]);
    expect(refreshes()).toBe(1);
  });

  test('comes in time though the endpoint answers late: nobody waits longer than two seconds, and nothing is lost', async () => {
    await age();
    const hold = holdAnswers();
    const startedAt = performance.now();
    expect(await tokenOf()).toEqual([502, 'service_unavailable']);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    hold.release();
    await until('the lock is given back', async () => (await row()).refreshingUntil === null);
    stage.oauth.beforeAnswer = undefined;
    expect(await stage.oauth.holderOf(String(await tokenOf()))).toBe('octocat');
    expect(refreshes()).toBe(1);
  });

  test('is not refreshed again by who looked before another process had done it', async () => {
    await age();
    const { read } = store();
    let token: unknown;
    Object.assign(store(), {
      read: async (...given: Parameters<typeof read>) => {
        const seen = await read(...given);
        Object.assign(store(), { read });
        token = await tokenOf(replica);
        return seen;
      },
    });
    await tokenOf();
    expect(await tokenOf()).toBe(token);
    expect(refreshes()).toBe(1);
  });

  test('is refreshed by another process where the one that began is gone', async () => {
    await age();
    const { id } = await row();
    const past = new Date(Date.now() - 1_000);
    await stage.tenant.db.serviceConnection.update({ where: { id }, data: { refreshingUntil: past } });
    expect(await stage.oauth.holderOf(String(await tokenOf()))).toBe('octocat');
  });

  test('is waited for while another process refreshes it', async () => {
    await age();
    const { id } = await row();
    const soon = new Date(Date.now() + 60_000);
    await stage.tenant.db.serviceConnection.update({ where: { id }, data: { refreshingUntil: soon } });
    const answer = await whileWaiting(tokenOf, async () => {
      const { value, version } = await store().read(address());
      const fresh = { access_token: 'of-the-other-process', refresh_token: value['refresh_token'] ?? '' };
      await store().write(address(), fresh, { expectedVersion: version });
    });
    expect(await tokenOf()).toBe('of-the-other-process');
    expect(['of-the-other-process', [502, 'service_unavailable']]).toContainEqual(answer);
    expect(refreshes()).toBe(0);
  });
});

describe('what was rotated at the service is not lost', () => {
  test('where the secret store is away for a moment', async () => {
    await age();
    const { write } = store();
    let away = 2;
    Object.assign(store(), {
      write: (...given: Parameters<typeof write>) =>
        away-- > 0 ? Promise.reject(new SecretStoreError('unavailable', 'sealed')) : write(...given),
    });
    try {
      expect(await stage.oauth.holderOf(String(await tokenOf()))).toBe('octocat');
    } finally {
      Object.assign(store(), { write });
    }
    await age();
    expect(await stage.oauth.holderOf(String(await tokenOf()))).toBe('octocat');
  });

  test('where it was written, and the answer of the store was lost', async () => {
    await age();
    const { write } = store();
    let lost = true;
    Object.assign(store(), {
      write: async (...given: Parameters<typeof write>) => {
        const version = await write(...given);
        if (!lost) return version;
        lost = false;
        throw new SecretStoreError('unavailable', 'hung');
      },
    });
    try {
      expect(await stage.oauth.holderOf(String(await tokenOf()))).toBe('octocat');
    } finally {
      Object.assign(store(), { write });
    }
    expect(refreshes()).toBe(1);
  });
});

describe('where the service', () => {
  test('is away, a token that is still good is given, and the connection stays', async () => {
    const still = await age({ expiresInMs: 20_000 });
    stage.oauth.fault = () => ({ status: 503 });
    expect(await tokenOf()).toBe(still);
    await age();
    expect(await tokenOf()).toEqual([502, 'service_unavailable']);
    expect(await row()).toMatchObject({ status: 'connected', refreshingUntil: null });
    stage.oauth.fault = undefined;
    expect(await stage.oauth.holderOf(String(await tokenOf()))).toBe('octocat');
  });

  test.each([
    ['as the standard has it', { status: 400, body: '{"error":"invalid_grant"}' }],
    ['as GitHub does, with status 200', { status: 200, body: '{"error":"bad_refresh_token"}' }],
    [
      'so, at an endpoint that is written in another way',
      { status: 200, body: '{"error":"bad_refresh_token"}' },
      '/./token',
    ],
  ])('refuses the refresh %s, the person connects anew', async (_name, fault, path = '/token') => {
    await age();
    await moveEndpoint(path);
    stage.oauth.fault = ({ path: asked }) => (asked === '/token' ? fault : undefined);
    expect(await tokenOf()).toEqual([409, 'service_not_connected']);
    expect(await row()).toMatchObject({ status: 'reconnect', refreshingUntil: null });
    await expect(store().read(address())).rejects.toMatchObject({ failure: 'missing' });
    const lost = { action: 'service.connection_lost', targetId: service.id };
    expect(await stage.tenant.db.auditEvent.findFirst({ where: lost })).toMatchObject({ actorKind: 'system' });
    const asked = refreshes();
    expect(await tokenOf()).toEqual([409, 'service_not_connected']);
    expect(refreshes()).toBe(asked);
    stage.oauth.fault = undefined;
    await stage.connect(service, person, browser);
    expect(await stage.oauth.holderOf(String(await tokenOf()))).toBe('octocat');
    await moveEndpoint('/token');
  });

  test('gives no new refresh token, the one before stays', async () => {
    await age();
    const before = (await store().read(address())).value['refresh_token'];
    const answer = { access_token: 'without-another', token_type: 'Bearer', expires_in: 3_600 };
    stage.oauth.fault = () => ({ body: JSON.stringify(answer) });
    expect(await tokenOf()).toBe('without-another');
    expect((await store().read(address())).value).toMatchObject({ refresh_token: before, scope: 'repo' });
  });

  test('gave no refresh token, the person connects anew once the token is over', async () => {
    await age({ without: 'refresh_token' });
    expect(await tokenOf()).toEqual([409, 'service_not_connected']);
    expect(refreshes()).toBe(0);
  });

  test('does not take our secret, it is not the person who has to do something', async () => {
    await age();
    stage.oauth.fault = () => ({ status: 401, body: '{"error":"invalid_client"}' });
    expect(await tokenOf()).toEqual([502, 'service_unavailable']);
    expect(await row()).toMatchObject({ status: 'connected' });
  });
});

test('who knows the version of before a disconnection writes nothing after it', async () => {
  const { value, version } = await store().read(address());
  const path = `/v1/services/${service.id}/connections/${person.user.id}`;
  expect((await stage.admin('delete', path)).status).toBe(204);
  const late = store().write(address(), value, { expectedVersion: version });
  await expect(late).rejects.toMatchObject({ failure: 'conflict' });
});

describe('while it is refreshed', () => {
  test('the person connects anew: those tokens stay', async () => {
    await age();
    stage.oauth.person = 'hubot';
    const page = await browser.get(await stage.linkUrl(service, person));
    const back = await stage.oauth.visit(departureOf(await browser.press(page, 'Connect')));
    const asked = deferred();
    const released = deferred();
    stage.oauth.beforeAnswer = ({ form }) => {
      if (form.get('grant_type') !== 'refresh_token') return Promise.resolve();
      asked.resolve();
      return released.promise;
    };
    const waiting = tokenOf();
    await asked.promise;
    expect((await browser.get(back)).text).toContain('Your account is connected');
    released.resolve();
    await waiting;
    stage.oauth.person = 'octocat';
    expect(await stage.oauth.holderOf(String(await tokenOf()))).toBe('hubot');
    expect(await row()).toMatchObject({ status: 'connected', refreshingUntil: null });
  });

  test.each([
    ['disconnected', (path: string) => stage.admin('delete', path)],
    [
      'ended by a change of the service',
      async (path: string) => {
        const at = path.split('/connections')[0] ?? '';
        const { settings } = (await stage.admin('get', at)).body;
        const secret = { client_secret: service.clientSecret };
        const moved = { ...settings, token_endpoint: `${stage.oauth.origin}/token?v=${Math.random()}` };
        return stage.admin('patch', at, { settings: moved, secret });
      },
    ],
  ])('it is %s, and another account connected: nothing of the one before comes in', async (_name, end) => {
    await age();
    // As if it were the first version: that of a new connection may have its number.
    const { value } = await store().read(address());
    await store().destroy(address());
    await store().write(address(), value, { expectedVersion: 0 });
    const hold = holdRefresh();
    const waiting = tokenOf();
    await hold.asked;
    expect((await end(`/v1/services/${service.id}/connections/${person.user.id}`)).status).toBeLessThan(300);
    stage.oauth.person = 'hubot';
    expect((await stage.connect(service, person, browser)).text).toContain('Your account is connected');
    const { id } = await row();
    hold.release();
    await waiting;
    await until('the lock is given back', async () => (await row()).refreshingUntil === null);
    stage.oauth.person = 'octocat';
    expect(await stage.oauth.holderOf(String(await tokenOf()))).toBe('hubot');
    const { version } = await store().read(address());
    expect(await row()).toMatchObject({ id, status: 'connected', secretVersion: version });
  });

  test('the person is deleted: nothing of it stays', async () => {
    await age();
    const hold = holdRefresh();
    const waiting = tokenOf();
    await hold.asked;
    // What goes with the row of the person.
    await stage.tenant.db.serviceConnection.delete({ where: { id: (await row()).id } });
    hold.release();
    expect(await waiting).toEqual([409, 'service_not_connected']);
    await expect(store().read(address())).rejects.toMatchObject({ failure: 'missing' });
  });

  test('another process refreshes it too, since this one took too long, and this one is refused: nothing is lost', async () => {
    await age();
    const [one, two] = [deferred(), deferred()];
    const [asked, askedAgain] = [deferred(), deferred()];
    let requests = 0;
    stage.oauth.fault = async ({ form }) => {
      if (form.get('grant_type') !== 'refresh_token') return undefined;
      if (++requests === 1) {
        asked.resolve();
        await one.promise;
        return { status: 400, body: '{"error":"invalid_grant"}' };
      }
      askedAgain.resolve();
      await two.promise;
      return refreshed;
    };
    const waiting = tokenOf(replica);
    await asked.promise;
    const { id } = await row();
    const past = new Date(Date.now() - 1_000);
    await stage.tenant.db.serviceConnection.update({ where: { id }, data: { refreshingUntil: past } });
    const again = tokenOf();
    await askedAgain.promise;
    one.resolve();
    expect([await waiting].flat()[0]).not.toBe(201);
    two.resolve();
    await again;
    await until('the lock is given back', async () => (await row()).refreshingUntil === null);
    expect(await row()).toMatchObject({ id, status: 'connected' });
    expect(await tokenOf()).toBe('of-the-account-before');
  });

  test('it is refused, and meanwhile another account connected: that one stays', async () => {
    await age();
    const hold = holdRefresh();
    const waiting = tokenOf();
    await hold.asked;
    stage.oauth.person = 'hubot';
    await stage.connect(service, person, browser);
    stage.oauth.person = 'octocat';
    const { auditEvent } = stage.tenant.db;
    const lost = await auditEvent.count({ where: { action: 'service.connection_lost' } });
    hold.refuse();
    await waiting;
    expect(await stage.oauth.holderOf(String(await tokenOf()))).toBe('hubot');
    expect(await auditEvent.count({ where: { action: 'service.connection_lost' } })).toBe(lost);
  });

  test('it is ended: nothing of it comes back', async () => {
    await age();
    const hold = holdRefresh();
    const waiting = tokenOf();
    await hold.asked;
    const path = `/v1/services/${service.id}/connections/${person.user.id}`;
    expect((await stage.admin('delete', path)).status).toBe(204);
    hold.release();
    expect(await waiting).toEqual([409, 'service_not_connected']);
    await expect(store().read(address())).rejects.toMatchObject({ failure: 'missing' });
    expect(await tokenOf()).toEqual([409, 'service_not_connected']);
  });
});
