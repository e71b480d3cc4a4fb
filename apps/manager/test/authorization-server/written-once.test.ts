import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createPostgresAdapter } from '../../src/authorization-server/postgres-adapter.js';
import { random } from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

let manager: TestManager;
let tenant: TestTenant;
beforeAll(async () => {
  manager = await createTestManager();
  tenant = await manager.createTenant();
});
afterAll(() => manager.close());

test.each(['ReplayDetection', 'PushedAuthorizationRequest'])(
  '%s: of all that looked before anyone wrote, one may write',
  async (model) => {
    const adapter = createPostgresAdapter(model, {
      db: async () => tenant.db,
      issuer: tenant.issuer,
      findClient: async () => undefined,
      onGrantEnded: async () => {},
      isHeldElsewhere: () => false,
    });
    const id = random();
    const writes = await Promise.allSettled(Array.from({ length: 8 }, () => adapter.upsert(id, { iss: 'm' }, 60)));
    expect(writes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(adapter.upsert(id, { iss: 'm' }, 60)).rejects.toThrow();
  },
);
