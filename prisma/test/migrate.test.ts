import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { applyMigrations } from '../src/migrate.js';
import { createTenantClient } from '../src/tenant.js';
import { createDatabase } from './create-database.js';

describe('a tenant database', () => {
  const { url, drop } = createDatabase();
  afterAll(drop);

  test('two processes that migrate it at once both end, and one of them applied it', async () => {
    const results = await Promise.all([1, 2, 3].map(async () => applyMigrations({ url: await url, kind: 'tenant' })));
    expect(results.map((result) => result.applied.length).sort()).toEqual([0, 0, 1]);
    const client = createTenantClient({ url: await url });
    expect((await client.policyState.findFirst())?.policyVersion).toBe(1n);
    await client.$disconnect();
  });
});
