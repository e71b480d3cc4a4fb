import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestManager, type TestManager } from '../support/test-manager.js';
import { run } from './run-command.js';

let manager: TestManager;
beforeAll(async () => {
  manager = await createTestManager({}, { AUTHSEC_DANGEROUSLY_ALLOW_HTTP: '1', AUTHSEC_URL: 'http://127.0.0.1:1' });
}, 60_000);
afterAll(() => manager?.close());

/** Nothing listens there: what is opened is not the question. */
const vault = { VAULT_ADDR: 'http://127.0.0.1:1', AUTHSEC_VAULT_ROLE_ID: 'role' };

test('a command that opens the wrapped secret id says that the next start needs another', async () => {
  const given = { ...manager.env, ...vault, AUTHSEC_VAULT_WRAPPED_SECRET_ID: 'hvs.canary-of-the-wrapping' };
  for (const args of [['doctor'], ['keys', 'rewrap', '--all']]) {
    const { stdout, stderr } = await run(args, given);
    expect(stderr).toContain('AUTHSEC_VAULT_WRAPPED_SECRET_ID is opened by this command and opens only once');
    expect(stdout + stderr).not.toContain('canary');
  }
});

test('it does not where nothing is spent: a secret id that is not wrapped, a migration without keys in Vault', async () => {
  const plain = await run(['keys', 'rewrap', '--all'], { ...manager.env, ...vault, AUTHSEC_VAULT_SECRET_ID: 's' });
  expect(plain.stderr).not.toContain('opens only once');
  const wrapped = { ...manager.env, ...vault, AUTHSEC_VAULT_WRAPPED_SECRET_ID: 'hvs.x' };
  const migration = await run(['migrate'], wrapped);
  expect([migration.code, migration.stderr]).toEqual([0, '']);
});
