import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestManager, type TestManager } from '../support/test-manager.js';

let manager: TestManager;

beforeAll(async () => {
  manager = await createTestManager();
});
afterAll(() => manager.close());

const pointsOf = async (name: string) => {
  const rows = await manager.container.master.rateLimit.findMany({ where: { key: { startsWith: `${name}:` } } });
  return rows.map(({ points }) => points);
};

describe('a point that was borrowed', () => {
  test('counts until it is returned, and is then free', async () => {
    const limit = manager.container.rateLimits.create('returned', { points: 1, windowSeconds: 600 });
    for (let time = 0; time < 3; time++) {
      const giveBack = await limit.borrow('key');
      expect(await pointsOf('returned')).toEqual([1]);
      await giveBack();
    }
    expect(await pointsOf('returned')).toEqual([0]);
    await limit.consume('key');
    await expect(limit.borrow('key')).rejects.toMatchObject({ code: 'rate_limited' });
  });

  test('is not taken off a window that begins later', async () => {
    const limit = manager.container.rateLimits.create('late', { points: 1, windowSeconds: 4 });
    const giveBack = await limit.borrow('key');
    await giveBack();
    expect(await pointsOf('late')).toEqual([1]);
  });

  test('is there again for whoever was refused while many were borrowed at once', async () => {
    const limit = manager.container.rateLimits.create('at-once', { points: 10, windowSeconds: 600 });
    const taken = await Promise.allSettled(Array.from({ length: 13 }, () => limit.borrow('key')));
    const borrowed = taken.filter((one) => one.status === 'fulfilled');
    expect(borrowed).toHaveLength(10);
    for (const { value: giveBack } of borrowed) await giveBack();
    await limit.consume('key');
  });
});

test('a key that is far over its budget is refused without a write', async () => {
  const limit = manager.container.rateLimits.create('far', { points: 2, windowSeconds: 600 });
  const taken = [];
  for (let time = 0; time < 8; time++)
    taken.push(
      await limit.consume('key').then(
        () => 'taken',
        ({ code }) => code,
      ),
    );
  expect(taken).toEqual(['taken', 'taken', ...Array.from({ length: 6 }, () => 'rate_limited')]);
  expect(await pointsOf('far')).toEqual([4]);
});
