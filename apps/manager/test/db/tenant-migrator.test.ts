import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Secret } from '../../src/config/secret.js';
import { openDatabaseUrl, sealDatabaseUrl } from '../../src/db/tenant-database-url.js';
import { migrateTenants } from '../../src/db/tenant-migrator.js';
import { provisionTenant } from '../../src/modules/tenants/provision-tenant.js';
import { createTestStack, type TestStack } from '../tenants/test-stack.js';

let stack: TestStack;
beforeAll(async () => void (stack = await createTestStack()));
afterAll(() => stack.close());

describe("migrating every tenant's database", () => {
  test('goes on past one that is down and one that is pointed at another, and says which', async () => {
    const ids = Array.from({ length: 4 }, () => stack.newTenantId()).sort();
    for (const tenantId of ids) await provisionTenant({ tenantId, displayName: tenantId }, stack.provisioning);
    const [down, moved, behind, suspended] = ids as [string, string, string, string];
    const other = await stack.master.tenant.findUniqueOrThrow({ where: { id: behind } });
    const point = (id: string, url: string) =>
      stack.master.tenant.update({
        where: { id },
        data: { sealedDatabaseUrl: sealDatabaseUrl(stack.sealer, id, new Secret(url)) },
      });
    await point(down, 'postgresql://x:x@127.0.0.1:1/x');
    await point(moved, openDatabaseUrl(stack.sealer, behind, other.sealedDatabaseUrl).reveal());
    await stack.master.tenant.updateMany({ data: { schemaVersion: '20200101000000_older' } });
    await stack.master.tenant.update({ where: { id: behind }, data: { schemaVersion: null } });
    await stack.master.tenant.update({ where: { id: suspended }, data: { status: 'suspended' } });

    const seen: string[] = [];
    const report = await migrateTenants({ ...stack, onMigrated: ({ tenantId }) => seen.push(tenantId) });

    expect(report.map(({ tenantId }) => tenantId)).toEqual(ids);
    expect([...seen].sort()).toEqual(ids);
    expect(report.map(({ error }) => error !== undefined)).toEqual([true, true, false, false]);
    expect(String(report[1]?.error)).toMatch(/bears another stamp/);
    const after = await stack.master.tenant.findUniqueOrThrow({ where: { id: behind } });
    expect(after.schemaVersion).toMatch(/^\d{14}_/);
    expect((await migrateTenants(stack)).map(({ tenantId }) => tenantId)).toEqual([down, moved]);
  });
});
