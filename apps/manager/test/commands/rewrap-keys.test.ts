import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { secretAddressOf } from '../../src/modules/services/service.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';
import { run } from './run-command.js';

let manager: TestManager;
let tenants: TestTenant[];
let env: Record<string, string>;
const newKey = `k2:${randomBytes(32).toString('base64')}`;

beforeAll(async () => {
  manager = await createTestManager();
  tenants = [await manager.createTenant(), await manager.createTenant()];
  for (const { id } of tenants) {
    const address = secretAddressOf(id, randomUUID());
    await manager.container.secrets.write(address, { token: 'x' }, { expectedVersion: 0 });
  }
  env = { ...manager.env, AUTHSEC_SEALING_KEYS: `${newKey},${manager.env['AUTHSEC_SEALING_KEYS']}` };
}, 60_000);
afterAll(() => manager?.close());

test('fails, and says who still needs it, while something does not open', async () => {
  const [broken] = tenants;
  await broken!.db.sealedSecret.updateMany({ data: { version: 2 } });
  const { code, stdout, stderr } = await run(['keys', 'rewrap', '--all'], env);
  expect(code).toBe(1);
  expect(stdout).toBe(`${tenants[1]!.id}: 3 put under k2\n`);
  expect(stderr).toContain(`${broken!.id}: 2 put under k2, 1 DO NOT OPEN`);
  await broken!.db.sealedSecret.updateMany({ data: { version: 1 } });
});

test('ends when nothing is left, and the new key alone is enough', async () => {
  const { code, stderr } = await run(['keys', 'rewrap', '--all'], env);
  expect([code, stderr]).toEqual([0, '']);
  const alone = await run(['keys', 'rewrap', '--tenant', tenants[0]!.id], { ...env, AUTHSEC_SEALING_KEYS: newKey });
  expect([alone.code, alone.stdout]).toEqual([0, `${tenants[0]!.id}: 0 put under k2\n`]);
});

test('does not guess whose', async () => {
  for (const args of [[], ['--all', '--tenant', tenants[0]!.id]]) {
    expect((await run(['keys', 'rewrap', ...args], env)).stderr).toContain('say either --tenant <id> or --all');
  }
});
