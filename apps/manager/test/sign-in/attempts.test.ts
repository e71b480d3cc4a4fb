import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { hash } from '@node-rs/argon2';
import { Client } from 'pg';
import { findPasswordAccount } from '../../src/modules/sign-in/sign-in.repository.js';
import { createSignInService, type SignInService } from '../../src/modules/sign-in/sign-in.service.js';
import { createTestPerson } from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

const password = 'correct horse battery staple';
const windowSeconds = 5 * 60;
let manager: TestManager;
let tenant: TestTenant;
let service: SignInService;
let email: string;
let network: string;

beforeAll(async () => {
  manager = await createTestManager();
  tenant = await manager.createTenant();
  service = createSignInService(manager.container.rateLimits);
  const person = await createTestPerson(tenant);
  email = person.email;
  const passwordHash = await hash(password, { memoryCost: 64, timeCost: 1, parallelism: 1 });
  await tenant.db.passwordCredential.create({ data: { userId: person.id, passwordHash } });
});
afterAll(() => manager.close());

const attempt = (who: string, given: string) =>
  service.signInWithPassword({
    tenantId: tenant.id,
    db: tenant.db,
    email: who,
    password: given,
    network,
    knownBrowser: false,
  });

/** As if so many attempts had been made. */
async function use(name: string, points: number, times: number, key: string): Promise<void> {
  const limit = manager.container.rateLimits.create(name, { points, windowSeconds });
  for (let time = 0; time < times; time++) await limit.consume(key);
}

describe('attempts with a password', () => {
  test("guesses at others end at the network's limit, also between sign-ins of one's own", async () => {
    network = randomUUID();
    await use('sign-in-network', 100, 97, network);
    for (let guess = 0; guess < 3; guess++) {
      expect(await attempt(email, password)).toBeDefined();
      expect(await attempt(`${randomUUID()}@example.test`, 'guess')).toBeUndefined();
    }
    await expect(attempt(`${randomUUID()}@example.test`, 'guess')).rejects.toMatchObject({ code: 'rate_limited' });
    await expect(attempt(email, password)).rejects.toMatchObject({ code: 'rate_limited' });
  });

  test('guesses at one account end, also while its person signs in', async () => {
    network = randomUUID();
    await use('sign-in-account-network', 20, 18, `${tenant.id}/${network}/${email}`);
    for (let guess = 0; guess < 2; guess++) {
      expect(await attempt(email, password)).toBeDefined();
      expect(await attempt(email, 'guess')).toBeUndefined();
    }
    await expect(attempt(email, password)).rejects.toMatchObject({ code: 'rate_limited' });
  });

  test.each([
    ['network', 3_000],
    ['account', 600],
  ])('that is right ends somewhere too, by %s: hashing cannot be made to keep the machine busy', async (by, points) => {
    network = randomUUID();
    expect(await attempt(email, password)).toBeDefined();
    await manager.container.master.rateLimit.updateMany({
      where: { key: { startsWith: `sign-ins-${by}:` }, points: { gt: 0 } },
      data: { points: points - 1 },
    });
    expect(await attempt(email, password)).toBeDefined();
    await expect(attempt(email, password)).rejects.toMatchObject({ code: 'rate_limited' });
  });
});

test('the database is asked the same, whether there is an account, one without a password, or none', async () => {
  const other = await createTestPerson(tenant);
  const query = jest.spyOn(Client.prototype, 'query');
  const ask = async (who: string) => {
    query.mockClear();
    const account = await findPasswordAccount(tenant.db, who);
    return { account, statements: query.mock.calls.length };
  };
  try {
    const own = { status: 'active', passwordHash: expect.stringContaining('$argon2id$'), userId: expect.any(String) };
    expect(await ask(email)).toEqual({ account: own, statements: 1 });
    const without = { status: 'active', passwordHash: null, userId: other.id };
    expect(await ask(other.email)).toEqual({ account: without, statements: 1 });
    expect(await ask(`${randomUUID()}@example.test`)).toEqual({ account: undefined, statements: 1 });
  } finally {
    query.mockRestore();
  }
});
