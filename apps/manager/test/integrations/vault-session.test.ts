import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type VaultClient, VaultError, type VaultRequest } from '../../src/integrations/vault/vault-client.js';
import type { VaultToken } from '../../src/integrations/vault/vault-logins.js';
import { createVaultSession, type VaultSession } from '../../src/integrations/vault/vault-session.js';
import { failureOf } from './secret-store-contract.js';
import { silent } from './vault-under-test.js';

const refused = new VaultError('denied', 'refused', 'status', 403);
const away = new VaultError('unavailable', 'away', 'timeout');

/** What Vault was asked, and how it is. */
let asked: string[];
let valid: Set<string>;
let failing: VaultError | undefined;
let made: number;
let renewable: boolean;
let ended: number;
let sessions: VaultSession[];

beforeEach(() => {
  jest.useFakeTimers();
  [asked, valid, failing, made, renewable, ended, sessions] = [[], new Set(), undefined, 0, true, 0, []];
});
afterEach(() => {
  for (const session of sessions) session.close();
  jest.useRealTimers();
});

function open(keep: boolean): VaultSession {
  const token = (value: string): VaultToken => ({
    token: value,
    ttlSeconds: 60,
    renewable,
    policies: [],
    metadata: {},
  });
  const session = createVaultSession({
    name: 'under test',
    keep,
    logger: silent,
    random: () => 1,
    clock: { now: () => Date.now(), monotonic: () => Date.now() },
    onEnd: () => (ended += 1),
    async login() {
      asked.push('login');
      if (failing) throw failing;
      made += 1;
      valid.add(`t${made}`);
      return token(`t${made}`);
    },
    connectAs: (value = ''): VaultClient => ({
      async request({ path }: VaultRequest) {
        asked.push(path);
        if (failing) throw failing;
        if (!valid.has(value)) throw refused;
        if (path === 'auth/token/lookup-self') return { data: { ttl: 60, policies: [] } };
        return { auth: { client_token: value, lease_duration: 60, renewable, policies: [] } };
      },
    }),
  });
  sessions.push(session);
  return session;
}

const use = (session: VaultSession): Promise<unknown> =>
  session.run((client) => client.request({ method: 'GET', path: 'secret' as VaultRequest['path'], what: 'using' }));
const renewals = () => asked.filter((path) => path === 'auth/token/renew-self').length;
const seconds = (count: number) => jest.advanceTimersByTimeAsync(count * 1_000);

test('ten calls at once log in once', async () => {
  const session = open(true);
  await Promise.all(Array.from({ length: 10 }, () => use(session)));
  expect(made).toBe(1);
});

test('a token is renewed at two thirds of its time, and lives as long as it is', async () => {
  const session = open(true);
  await use(session);
  await seconds(39);
  expect(renewals()).toBe(0);
  await seconds(2);
  expect(renewals()).toBe(1);
  await seconds(600);
  await use(session);
  expect(made).toBe(1);
});

test('one that cannot be renewed is replaced before it ends', async () => {
  renewable = false;
  const session = open(true);
  await use(session);
  await seconds(41);
  expect([made, renewals()]).toEqual([2, 0]);
});

test('one that nobody uses is let go, and the next call has a new one', async () => {
  const session = open(false);
  await use(session);
  await seconds(200);
  expect([renewals(), ended]).toEqual([1, 1]);
  await use(session);
  expect(made).toBe(2);
});

test('one that nobody uses is kept while something that was leased lives of it', async () => {
  const session = open(false);
  await use(session);
  session.keepUntil(Date.now() + 300_000);
  await seconds(290);
  expect(ended).toBe(0);
  await seconds(120);
  expect([made, ended]).toEqual([1, 1]);
});

test('while Vault is away a renewal is tried once a second, and a token that ended meanwhile is replaced', async () => {
  const session = open(true);
  await use(session);
  failing = away;
  await seconds(50);
  expect(renewals()).toBeLessThan(12);
  valid.clear();
  failing = undefined;
  await seconds(2);
  await use(session);
  expect(made).toBe(2);
});

test('a refused call looks at its token: a good one is not replaced', async () => {
  const session = open(true);
  await use(session);
  const denied = session.run(async () => {
    throw refused;
  });
  expect(await failureOf(denied)).toBe('denied');
  expect([made, asked.at(-1)]).toEqual([1, 'auth/token/lookup-self']);
});

test('a token that is none is replaced, and the call done once more', async () => {
  const session = open(true);
  await use(session);
  for (let round = 2; round < 5; round += 1) {
    valid.clear();
    await use(session);
    expect(made).toBe(round);
  }
});

test('of many refused calls one replaces the token', async () => {
  const session = open(true);
  await use(session);
  valid.clear();
  await Promise.all(Array.from({ length: 20 }, () => use(session)));
  expect(made).toBe(2);
});

test('where new tokens are refused as well, not each call makes one', async () => {
  const session = open(true);
  const useless = () =>
    session.run(async (client) => {
      valid.clear();
      return client.request({ method: 'GET', path: 'secret' as VaultRequest['path'], what: 'using' });
    });
  for (let call = 0; call < 50; call += 1) expect(await failureOf(useless())).toBe('denied');
  expect(made).toBe(2);
  await seconds(3);
  expect(await failureOf(useless())).toBe('denied');
  expect(made).toBe(3);
});
