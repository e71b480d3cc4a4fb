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
});
