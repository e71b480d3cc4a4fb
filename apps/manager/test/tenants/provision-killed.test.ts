import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { provisionTenant, type ProvisioningStep } from '../../src/modules/tenants/provision-tenant.js';
import { createTestStack, type TestStack } from './test-stack.js';

let stack: TestStack;
beforeAll(async () => void (stack = await createTestStack()));
afterAll(() => stack.close());

/** A process of the built Manager that provisions, tells each step, and stands still for ever after `last`. */
const program = `
  const [dist, tenantId, masterUrl, serverUrl, key, last] = process.argv.slice(1);
  const from = (path) => import(new URL(path, dist));
  const { Secret } = await from('config/secret.js');
  const { createMasterDatabase } = await from('db/master-client.js');
  const { createAesGcmSealer } = await from('integrations/aes-gcm-sealer.js');
  const { ensureSigningKey } = await from('integrations/signing-keys.js');
  const { provisionTenant } = await from('modules/tenants/provision-tenant.js');
  const sealer = createAesGcmSealer([{ id: 'k1', key: new Secret(key) }]);
  const masterDatabaseUrl = new Secret(masterUrl);
  await provisionTenant({ tenantId, displayName: 'A tenant' }, {
    master: createMasterDatabase({ databaseUrl: masterDatabaseUrl }), masterDatabaseUrl,
    tenantDatabaseUrl: new Secret(serverUrl), sealer,
    ensureSigningKey: (db, id) => ensureSigningKey(db, id, sealer),
    onStep: async (step) => {
      process.stdout.write(step + '\\n');
      if (step === last) await new Promise((resolve) => setTimeout(resolve, 2 ** 31 - 1));
    },
  });
`;

async function killAfter(tenantId: string, step: ProvisioningStep): Promise<void> {
  const dist = new URL('../../dist/', import.meta.url).href;
  const urls = [stack.masterDatabaseUrl.reveal(), stack.tenantDatabaseUrl.reveal()];
  const args = ['--input-type=module', '-e', program, dist, tenantId, ...urls, stack.sealingKey, step];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let reached: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    reached = line;
    if (line === step) child.kill('SIGKILL');
  }
  await ended;
  expect(reached).toBe(step);
}

test.each<ProvisioningStep>(['recorded', 'database_created', 'migrated', 'keys_created'])(
  'a process killed after "%s" holds nothing up, and the next one ends right',
  async (step) => {
    const tenantId = stack.newTenantId();
    await killAfter(tenantId, step);
    const half = await stack.master.tenant.findUniqueOrThrow({ where: { id: tenantId } });
    expect(half.status).toBe('provisioning');
    const tenant = await provisionTenant({ tenantId, displayName: 'A tenant' }, stack.provisioning);
    expect(tenant).toMatchObject({ status: 'active', sealedDatabaseUrl: half.sealedDatabaseUrl });
  },
);
