import { expect, test } from '@jest/globals';
import { provisionVault } from '../../src/integrations/vault/provision-vault.js';
import { createVaultSecretStore } from '../../src/integrations/vault/vault-secret-store.js';
import { until } from '../support/until.js';
import { naughtyNames } from './naughty-names.js';
import { failureOf, secretStoreContract, type StoreUnderTest } from './secret-store-contract.js';
import {
  asOperator,
  describeOpenBao,
  describeVault,
  openCountingProxy,
  openVault,
  settingsFor,
  silent,
} from './vault-under-test.js';

async function openStore(namespace?: string): Promise<StoreUnderTest> {
  const vault = await openVault({ own: namespace !== undefined });
  if (namespace !== undefined) await asOperator(vault, 'POST', `sys/namespaces/${namespace}`, {});
  const login = await provisionVault({ ...vault, token: vault.rootToken, namespace }, vault.plan);
  const proxy = await openCountingProxy(vault.address);
  const settings = settingsFor({ ...vault, address: proxy.address }, login, { namespace });
  const store = await createVaultSecretStore(settings, { logger: silent });
  await until('it is seen to be well', () => store.health().status === 'ok');
  return {
    store,
    tenants: ['acme', 'beta'],
    // Beside what it asks for its own health.
    requests: () => proxy.seen.filter(({ path }) => !/sys\/health|lookup-self/.test(path)).length,
    async close() {
      await store.close();
      await proxy.close();
      await vault.stop();
    },
  };
}

describeVault('secrets in a real Vault', () => {
  secretStoreContract('Vault', () => openStore());

  test('500 naughty names prepare no tenant, and nothing is asked', async () => {
    const { store, requests, close } = await openStore();
    const before = requests();
    const names = naughtyNames(500);
    const failures = await Promise.all(names.map((name) => failureOf(store.ensureTenant(name))));
    expect(new Set(failures)).toEqual(new Set(['denied']));
    expect(requests()).toBe(before);
    await close();
  });
});

describeOpenBao('secrets in a namespace of a real OpenBao', () => {
  secretStoreContract('OpenBao, in a namespace', () => openStore('team-a'));
});
